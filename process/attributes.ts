import {
  checkArray,
  checkBoolean,
  checkInteger,
  cString,
} from "../ffi/_arguments.ts";
import { checkValue, checkZero, errorFor, readErrno } from "../ffi/_libc.ts";
import { signalNumber } from "../ffi/_signals.ts";
import {
  descriptorSymbols,
  processSymbols,
  schedulingSymbols,
} from "../ffi/_symbols.ts";
import {
  O_CLOEXEC,
  O_RDONLY,
  O_WRONLY,
  PR_SET_CHILD_SUBREAPER,
  PR_SET_PDEATHSIG,
  PRIO_PROCESS,
  SYS_getpriority,
} from "../ffi/constants.ts";
import { ERRNO } from "../ffi/errors.ts";
import { checkThreadName } from "./_planned_fork.ts";
import type { Signal } from "./signals.ts";

/**
 * `chdir(path)`: changes the working directory of the process.
 *
 * It is one for all threads, and `Deno.cwd()` and relative paths given to Deno follow it. Forked children and executed programs
 * start in it.
 *
 * @param path The directory.
 * @throws {PosixError} `ENOENT`, `ENOTDIR`, `EACCES` (no search permission), `ELOOP`, `ENAMETOOLONG`: what is wrong with the path.
 * @throws {TypeError} If `path` is no string, or has a NUL in it.
 *
 * @example A child at the root
 * ```ts
 * import { _exit, chdir, fork } from "@posix/process/process";
 * import { waitpid } from "@posix/process/wait";
 * import { assertEquals } from "@std/assert";
 *
 * const pid = fork();
 * if (pid === 0) {
 *   chdir("/");
 *   chdir("proc"); // relative to it
 *   _exit(0);
 * }
 * assertEquals(waitpid(pid)?.status, { kind: "exited", code: 0 });
 * ```
 *
 * @see {@link https://man7.org/linux/man-pages/man2/chdir.2.html | chdir(2)}
 */
export function chdir(path: string): void {
  checkZero(
    processSymbols().chdir(cString(path, "path")),
    "chdir",
    () => `Cannot change the working directory to ${JSON.stringify(path)}`,
    path,
  );
}

/**
 * `umask(mask)`: sets the permission bits that files and directories made by the process shall not have.
 *
 * There is no call that only reads the mask: set one, and set the old one again.
 *
 * @param mask The bits to withhold, such as `0o022`.
 * @returns The former mask.
 * @throws {RangeError} If `mask` is no integer from 0 to 0o777.
 *
 * @example Setting it for a while
 * ```ts
 * import { umask } from "@posix/process/process";
 * import { assertEquals } from "@std/assert";
 *
 * const old = umask(0o077);
 * assertEquals(umask(old), 0o077);
 * ```
 *
 * @see {@link https://man7.org/linux/man-pages/man2/umask.2.html | umask(2)}
 */
export function umask(mask: number): number {
  checkInteger(mask, "mask", 0, 0o777);
  return processSymbols().umask(mask);
}

const NICEST = 19;
const RUDEST = -20;

/** The kernel tells a nice value as 20 minus it, so that it is never negative. */
const OFFSET = 20;

/**
 * `nice(inc)`: adds to the nice value: the higher it is, the smaller the share of a busy CPU.
 *
 * On Linux the value is the calling *thread's*. So those that Deno has already made, such as V8's helpers and the pool for
 * file operations, keep theirs; children that are made afterwards start with the new one.
 *
 * @param increment What to add; 0 only asks, a negative number needs a privilege or a limit that allows it.
 * @returns The new value, from -20 (the largest share) to 19; beyond that it is cut. -1 is a value like any other.
 * @throws {PosixError} `EPERM` if the value would go below what the limit `RLIMIT_NICE` allows an unprivileged caller.
 * @throws {RangeError} If `increment` is no 32-bit integer.
 *
 * @example A child that stays in the background
 * ```ts
 * import { _exit, fork, nice } from "@posix/process/process";
 * import { waitpid } from "@posix/process/wait";
 * import { assertEquals } from "@std/assert";
 *
 * const before = nice(0);
 * const pid = fork();
 * if (pid === 0) _exit(nice(5));
 * assertEquals(waitpid(pid)?.status, {
 *   kind: "exited",
 *   code: Math.min(before + 5, 19) & 0xff,
 * });
 * ```
 *
 * @see {@link https://man7.org/linux/man-pages/man2/nice.2.html | nice(2)}
 */
export function nice(increment: number): number {
  checkInteger(increment, "increment");
  const libc = schedulingSymbols();
  const action = () => `Cannot add ${increment} to the nice value`;
  const current = OFFSET - checkValue(
    libc.getpriority(BigInt(SYS_getpriority), PRIO_PROCESS, 0),
    "nice",
    action,
  );
  const wanted = Math.min(Math.max(current + increment, RUDEST), NICEST);
  // Made of these two, as libc makes it: of its own result nobody could tell whether -1 is a value or a failure.
  if (wanted !== current && libc.setpriority(PRIO_PROCESS, 0, wanted) === -1) {
    const errno = readErrno();
    throw errorFor(
      errno === ERRNO.EACCES ? ERRNO.EPERM : errno,
      "nice",
      action,
    );
  }
  return wanted;
}

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

const COMM = "/proc/self/comm";

/**
 * `prctl(PR_SET_NAME, name)` for the main thread: sets the name of the process.
 *
 * It is what `ps -o comm`, `top` and `pstree` show and what `pkill` and `killall` look for; the arguments that `ps -o args`
 * shows stay as they are. In C the call names the calling thread; the name of a process is that of its main thread, and under
 * `deno test` JavaScript does not run there, so it is written to `/proc/self/comm`, which is the same as the call otherwise.
 *
 * A forked child has the name of the thread that has forked, which is this one except under `deno test`; an executed program
 * brings its own.
 *
 * @param name The name: at most 15 bytes of UTF-8. The kernel would cut off the rest, perhaps in the middle of a character.
 * @throws {TypeError} If `name` is no string, or has a NUL in it.
 * @throws {RangeError} If `name` is longer than 15 bytes.
 * @throws {PosixError} `ENOENT` where `/proc` is not mounted.
 *
 * @example A name to be found by
 * ```ts
 * import { getName, setName } from "@posix/process/process";
 * import { assertEquals } from "@std/assert";
 *
 * const before = getName();
 * setName("worker: 工人");
 * assertEquals(getName(), "worker: 工人");
 * setName(before);
 * ```
 *
 * @see {@link https://man7.org/linux/man-pages/man2/PR_SET_NAME.2const.html | PR_SET_NAME(2const)}
 */
export function setName(name: string): void {
  checkThreadName(name);
  // The NUL goes with it: of an empty name there would be nothing to write.
  const bytes = cString(name, "name");
  const action = () => `Cannot set process name to ${JSON.stringify(name)}`;
  withComm(O_WRONLY, action, (fd) => {
    const size = BigInt(bytes.length);
    checkValue(
      descriptorSymbols().write(fd, bytes, size),
      "write",
      action,
      COMM,
    );
  });
}

/**
 * `prctl(PR_GET_NAME)` for the main thread: the name of the process.
 *
 * @returns The name, at most 15 bytes; a byte that is no UTF-8 shows as U+FFFD.
 * @throws {PosixError} `ENOENT` where `/proc` is not mounted.
 *
 * @example The name that a program starts with is its file's
 * ```ts
 * import { getName } from "@posix/process/process";
 * import { assert } from "@std/assert";
 *
 * assert(getName().length > 0); // "deno"
 * ```
 *
 * @see {@link https://man7.org/linux/man-pages/man2/PR_GET_NAME.2const.html | PR_GET_NAME(2const)}
 */
export function getName(): string {
  const action = () => "Cannot get process name";
  const buffer = new Uint8Array(64);
  const count = withComm(O_RDONLY, action, (fd) => {
    const size = BigInt(buffer.length);
    return checkValue(
      descriptorSymbols().read(fd, buffer, size),
      "read",
      action,
      COMM,
    );
  });
  // A newline ends it, and may be in it as well.
  return new TextDecoder().decode(buffer.subarray(0, count - 1));
}

function withComm<T>(
  access: number,
  action: () => string,
  use: (fd: number) => T,
): T {
  const { open, close } = descriptorSymbols();
  const path = cString(COMM, "path");
  const fd = checkValue(
    open(path, access | O_CLOEXEC, 0),
    "open",
    action,
    COMM,
  );
  try {
    return use(fd);
  } finally {
    close(fd);
  }
}

/**
 * `prctl(PR_SET_PDEATHSIG, sig)`: has the kernel send the process a signal when its parent ends.
 *
 * For a child that is not to outlive its parent, however that ends. Two traps of the kernel's:
 *
 * - What counts is the end of the parent's *thread* that has made the child. A parent that has it made by a thread that
 *   ends earlier ends the child with that thread. Of this library's children that is the thread on which the parent's
 *   JavaScript runs: with `deno run` the main one; under `deno test` one that ends with the test file.
 * - A parent that has ended before the call sends nothing any more. So note `getpid()` in the parent, and compare it with
 *   `getppid()` in the child *after* the call; the option `parentDeathSignal` of {@linkcode forkChild} does that.
 *
 * The wish is the calling thread's: under `deno test` it is gone at the end of the test file. It is kept by an executed program
 * (unless that has more privileges, such as a set-user-ID one), and a forked child starts without.
 *
 * @param signal The signal by name or number; `null`, or 0, takes the wish back.
 * @throws {TypeError} If there is no signal of that name; the message has the nearest one.
 * @throws {RangeError} If the number is no integer from 0 to 64.
 *
 * @example A child that does not outlive its parent
 * ```ts
 * import {
 *   _exit,
 *   fork,
 *   getpid,
 *   getppid,
 *   setParentDeathSignal,
 * } from "@posix/process/process";
 * import { waitpid } from "@posix/process/wait";
 * import { assertEquals } from "@std/assert";
 *
 * const parent = getpid();
 * const pid = fork();
 * if (pid === 0) {
 *   setParentDeathSignal("SIGKILL");
 *   if (getppid() !== parent) _exit(1); // it has ended before it could be heard of
 *   _exit(0);
 * }
 * assertEquals(waitpid(pid)?.raw, 0);
 * ```
 *
 * @see {@link https://man7.org/linux/man-pages/man2/PR_SET_PDEATHSIG.2const.html | PR_SET_PDEATHSIG(2const)}
 */
export function setParentDeathSignal(signal: Signal | number | null): void {
  const number = signal === null ? 0 : signalNumber(signal);
  checkZero(
    processSymbols().prctl(PR_SET_PDEATHSIG, BigInt(number)),
    "prctl",
    () => `Cannot ask for signal ${signal} at the parent's end`,
  );
}

/**
 * `prctl(PR_SET_CHILD_SUBREAPER, on)`: makes the process the one that orphans among its descendants fall to.
 *
 * A descendant whose parent ends becomes a child of its nearest ancestor that is a subreaper, instead of process 1. It is
 * then to be waited for here, or it stays a zombie: `waitpid(-1)` reports children that this process has never made. So does it
 * keep hold of daemons: a process that forks twice to get away is still a descendant, and {@linkcode killTree} finds it.
 *
 * It holds for the whole process and for descendants that exist already, is kept by an executed program, and is not passed
 * on to a forked child.
 *
 * @param on Whether it is to be one.
 * @throws {TypeError} If `on` is no boolean.
 * @throws {PosixError} `EINVAL` on a kernel older than 3.4.
 *
 * @example An orphaned grandchild comes to its grandparent
 * ```ts
 * import { _exit, fork, setChildSubreaper } from "@posix/process/process";
 * import { waitpid } from "@posix/process/wait";
 * import { assertEquals, assertNotEquals } from "@std/assert";
 *
 * setChildSubreaper(true);
 * const child = fork();
 * if (child === 0) {
 *   if (fork() === 0) _exit(7); // or it goes on for years
 *   _exit(0);
 * }
 * assertEquals(waitpid(child)?.raw, 0);
 * const orphan = waitpid(-1); // the one left, which another process has made
 * assertNotEquals(orphan?.pid, child);
 * assertEquals(orphan?.status, { kind: "exited", code: 7 });
 * setChildSubreaper(false);
 * ```
 *
 * @see {@link https://man7.org/linux/man-pages/man2/PR_SET_CHILD_SUBREAPER.2const.html | PR_SET_CHILD_SUBREAPER(2const)}
 */
export function setChildSubreaper(on: boolean): void {
  checkBoolean(on, "on");
  checkZero(
    processSymbols().prctl(PR_SET_CHILD_SUBREAPER, on ? 1n : 0n),
    "prctl",
    () => `Cannot ${on ? "become" : "stop being"} a subreaper`,
  );
}
