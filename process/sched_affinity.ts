import { checkArray, checkInteger } from "../ffi/_arguments.ts";
import { readErrno } from "../ffi/_errno.ts";
import { ERRNO } from "../ffi/errno.ts";
import { checkZero, errorFor } from "../ffi/_results.ts";
import { schedulingSymbols } from "../ffi/_symbols.ts";

/** glibc's `cpu_set_t`: 1024 CPUs. */
const MASK_BYTES = 128;

/** No kernel is built for more. */
const MASK_BYTES_MAX = 8192;

/**
 * `sched_getaffinity(pid, size, &mask)`: the CPUs on which a process may run.
 *
 * Their count is what there is to share out among workers: in a container it is often lower than
 * `navigator.hardwareConcurrency`.
 *
 * @param pid The process, of which the main thread is asked, or a thread; 0, the default, is the calling thread.
 * @returns The numbers of the CPUs, in ascending order.
 * @throws {PosixError} `ESRCH` if there is no such process.
 * @throws {RangeError} If `pid` is no 32-bit integer that is not negative.
 *
 * @example The CPUs at hand
 * ```ts
 * import { schedGetaffinity } from "@posix/process/process";
 * import { assert } from "@std/assert";
 *
 * assert(schedGetaffinity().length >= 1);
 * ```
 *
 * @see {@link https://man7.org/linux/man-pages/man2/sched_getaffinity.2.html | sched_getaffinity(2)}
 */
export function schedGetaffinity(pid = 0): number[] {
  checkInteger(pid, "pid", 0);
  for (let size = MASK_BYTES;; size *= 2) {
    const mask = new Uint8Array(size);
    const { sched_getaffinity } = schedulingSymbols();
    if (sched_getaffinity(pid, BigInt(size), mask) === 0) return cpusOf(mask);
    const errno = readErrno();
    // EINVAL: the kernel's own mask is longer.
    if (errno === ERRNO.EINVAL && size < MASK_BYTES_MAX) continue;
    throw errorFor(
      errno,
      "sched_getaffinity",
      () => `Cannot get the CPUs of process ${pid}`,
    );
  }
}

/**
 * `sched_setaffinity(pid, size, &mask)`: has a process run on some CPUs only.
 *
 * It concerns one thread, and the threads and children that it makes afterwards; those that it has already made keep theirs.
 * With `pid` 0 that is the thread on which JavaScript runs, and not V8's helpers or Deno's pool for file operations.
 *
 * @param cpus The numbers of the CPUs, in any order; at least one.
 * @param pid The process, of which the main thread is meant, or a thread; 0, the default, is the calling thread.
 * @throws {PosixError} `EINVAL` if none of the CPUs is there for the process; `ESRCH` if there is no such process; `EPERM` if it is
 * another user's.
 * @throws {TypeError} If `cpus` is no array of numbers.
 * @throws {RangeError} If `cpus` is empty, a CPU no integer from 0 to 65535, or `pid` no 32-bit integer that is not negative.
 *
 * @example A child that stays on one CPU
 * ```ts
 * import {
 *   _exit,
 *   fork,
 *   schedGetaffinity,
 *   schedSetaffinity,
 * } from "@posix/process/process";
 * import { waitpid } from "@posix/process/wait";
 * import { assertEquals } from "@std/assert";
 *
 * const pid = fork();
 * if (pid === 0) {
 *   schedSetaffinity(schedGetaffinity().slice(0, 1));
 *   _exit(schedGetaffinity().length);
 * }
 * assertEquals(waitpid(pid)?.status, { kind: "exited", code: 1 });
 * ```
 *
 * @see {@link https://man7.org/linux/man-pages/man2/sched_setaffinity.2.html | sched_setaffinity(2)}
 */
export function schedSetaffinity(cpus: readonly number[], pid = 0): void {
  const mask = maskOf(cpus);
  checkInteger(pid, "pid", 0);
  checkZero(
    schedulingSymbols().sched_setaffinity(pid, BigInt(mask.length), mask),
    "sched_setaffinity",
    () => `Cannot have process ${pid} run on CPUs ${cpus.join(", ")}`,
  );
}

/** Bit by bit, and so alike on machines of either order of bytes that is little-endian. */
function cpusOf(mask: Uint8Array): number[] {
  const cpus: number[] = [];
  mask.forEach((byte, index) => {
    for (let bit = 0; bit < 8; bit++) {
      if ((byte >> bit & 1) === 1) cpus.push(index * 8 + bit);
    }
  });
  return cpus;
}

function maskOf(cpus: readonly number[]): Uint8Array<ArrayBuffer> {
  checkArray(cpus, "cpus");
  if (cpus.length === 0) {
    throw new RangeError("'cpus' must not be empty: a process needs one CPU");
  }
  const max = MASK_BYTES_MAX * 8 - 1;
  cpus.forEach((cpu, index) => checkInteger(cpu, `cpus[${index}]`, 0, max));
  const words = Math.floor(Math.max(...cpus) / 64) + 1;
  const mask = new Uint8Array(Math.max(MASK_BYTES, words * 8));
  for (const cpu of cpus) mask[cpu >> 3]! |= 1 << (cpu & 7);
  return mask;
}
