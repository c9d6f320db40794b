import { checkInteger } from "../ffi/_arguments.ts";
import { retryInterrupted } from "../ffi/_libc.ts";
import { waitSymbols } from "../ffi/_symbols.ts";
import { RUSAGE } from "../ffi/layouts.ts";
import { decodeStatus } from "./status.ts";
import type { Rusage, WaitResult, WaitUsageResult } from "./types.ts";

const AT = RUSAGE.fields;

/** Reads a `struct rusage`. */
export function decodeRusage(words: Uint32Array): Rusage {
  return {
    utime: seconds(words, AT.ru_utime),
    stime: seconds(words, AT.ru_stime),
    maxrss: long(words, AT.ru_maxrss),
    ixrss: long(words, AT.ru_ixrss),
    idrss: long(words, AT.ru_idrss),
    isrss: long(words, AT.ru_isrss),
    minflt: long(words, AT.ru_minflt),
    majflt: long(words, AT.ru_majflt),
    nswap: long(words, AT.ru_nswap),
    inblock: long(words, AT.ru_inblock),
    oublock: long(words, AT.ru_oublock),
    msgsnd: long(words, AT.ru_msgsnd),
    msgrcv: long(words, AT.ru_msgrcv),
    nsignals: long(words, AT.ru_nsignals),
    nvcsw: long(words, AT.ru_nvcsw),
    nivcsw: long(words, AT.ru_nivcsw),
  };
}

/** A long that is not negative, both halves as numbers: the detour by BigInt would take several times as long. */
function long(words: Uint32Array, offset: number): number {
  return words[offset >> 2]! + words[(offset >> 2) + 1]! * 2 ** 32;
}

/** A `struct timeval`. */
function seconds(words: Uint32Array, offset: number): number {
  return long(words, offset) + long(words, offset + 8) / 1e6;
}

const word = new Int32Array(1);
const usage = new Uint32Array(RUSAGE.size / 4);

/** `waitpid(2)` under the name of the function that the caller has called. */
function waitFor(
  syscall: string,
  pid: number,
  options: number,
): WaitResult | null {
  checkInteger(pid, "pid");
  checkInteger(options, "options");
  const libc = waitSymbols();
  const reaped = retryInterrupted(
    () => libc.waitpid(pid, word, options),
    syscall,
    () => `Cannot wait for ${whom(pid)}`,
  );
  return reaped === 0 ? null : result(reaped);
}

/** `wait4(2)` under the name of the function that the caller has called. */
function waitWithUsage(
  syscall: string,
  pid: number,
  options: number,
): WaitUsageResult | null {
  checkInteger(pid, "pid");
  checkInteger(options, "options");
  const libc = waitSymbols();
  const reaped = retryInterrupted(
    () => libc.wait4(pid, word, options, usage),
    syscall,
    () => `Cannot wait for ${whom(pid)}`,
  );
  if (reaped === 0) return null;
  return { ...result(reaped), rusage: decodeRusage(usage) };
}

function result(pid: number): WaitResult {
  const raw = word[0]!;
  return { pid, raw, status: decodeStatus(raw) };
}

/** The children that a pid stands for, in words. */
function whom(pid: number): string {
  if (pid > 0) return `child ${pid}`;
  if (pid === -1) return "any child";
  return pid === 0
    ? "a child of the caller's process group"
    : `a child of process group ${-pid}`;
}

/**
 * `wait(&status)`: waits until any child has ended, and reaps it.
 *
 * Blocks the thread, event loop included; see {@linkcode waitAsync} for the version that does not. Retried on `EINTR`.
 * Any child means any: those of `Deno.Command` too, whose statuses Deno then never learns. Where there are such, wait
 * for known pids with {@linkcode waitpid}.
 *
 * @returns The child and how it ended.
 * @throws {PosixError} `ECHILD` if there are no children, or if SIGCHLD is ignored and the last has ended.
 *
 * @example Reaping a child
 * ```ts
 * import { _exit, fork } from "@posix/process/process";
 * import { wait } from "@posix/process/wait";
 * import { assertEquals } from "@std/assert";
 *
 * const pid = fork();
 * if (pid === 0) _exit(3);
 * assertEquals(wait(), { pid, raw: 0x0300, status: { kind: "exited", code: 3 } });
 * ```
 *
 * @see {@link https://man7.org/linux/man-pages/man2/wait.2.html | wait(2)}
 */
export function wait(): WaitResult {
  // Without WNOHANG there is always something to report.
  return waitFor("wait", -1, 0)!;
}

/**
 * `waitpid(pid, &status, options)`: waits for a child to change state, and reaps it if it has ended.
 *
 * Blocks the thread, event loop included; see {@linkcode waitAsync} for the version that does not. Retried on `EINTR`.
 * A pid of 0 or below may also reap a child of `Deno.Command`, whose status Deno then never learns.
 *
 * @param pid The child: a pid; 0 for any child of the caller's process group; -1 for any child; below -1 for any child of group -pid.
 * @param options {@linkcode WNOHANG}, {@linkcode WUNTRACED} and {@linkcode WCONTINUED}, or-ed together; 0 by default.
 * @returns The child and its new state; `null` if `WNOHANG` is given and there are such children, but none has changed.
 * @throws {PosixError} `ECHILD` if there is no such child; `EINVAL` if the options are unknown; `ESRCH` if `pid` is -2147483648.
 * @throws {RangeError} If `pid` or `options` is no C `int`; a `TypeError` if it is not a number.
 *
 * @example Reading an exit code
 * ```ts
 * import { _exit, fork } from "@posix/process/process";
 * import { waitpid } from "@posix/process/wait";
 * import { assertEquals } from "@std/assert";
 *
 * const pid = fork();
 * if (pid === 0) _exit(3);
 * assertEquals(waitpid(pid)?.status, { kind: "exited", code: 3 });
 * ```
 *
 * @see {@link https://man7.org/linux/man-pages/man2/waitpid.2.html | waitpid(2)}
 */
export function waitpid(pid: number, options: number = 0): WaitResult | null {
  return waitFor("waitpid", pid, options);
}

/**
 * `wait3(&status, options, &rusage)`: waits for any child to change state, and says what it has used.
 *
 * Blocks the thread, event loop included; see {@linkcode waitAsync} for the version that does not. Retried on `EINTR`.
 * Any child means any: those of `Deno.Command` too, whose statuses Deno then never learns. Where there are such, wait
 * for known pids with {@linkcode wait4}.
 *
 * @param options {@linkcode WNOHANG}, {@linkcode WUNTRACED} and {@linkcode WCONTINUED}, or-ed together; 0 by default.
 * @returns The child, its new state and its usage; `null` if `WNOHANG` is given and there are children, but none has changed.
 * @throws {PosixError} `ECHILD` if there are no children; `EINVAL` if the options are unknown.
 * @throws {RangeError} If `options` is no C `int`; a `TypeError` if it is not a number.
 *
 * @example Measuring a child
 * ```ts
 * import { _exit, fork } from "@posix/process/process";
 * import { wait3 } from "@posix/process/wait";
 * import { assert, assertEquals } from "@std/assert";
 *
 * const pid = fork();
 * if (pid === 0) _exit(0);
 * const child = wait3()!;
 * assertEquals(child.pid, pid);
 * assert(child.rusage.maxrss > 0); // KiB
 * ```
 *
 * @see {@link https://man7.org/linux/man-pages/man2/wait3.2.html | wait3(2)}
 */
export function wait3(options: number = 0): WaitUsageResult | null {
  return waitWithUsage("wait3", -1, options);
}

/**
 * `wait4(pid, &status, options, &rusage)`: waits for a child to change state, and says what it has used.
 *
 * Blocks the thread, event loop included; see {@linkcode waitAsync} for the version that does not. Retried on `EINTR`.
 * A pid of 0 or below may also reap a child of `Deno.Command`, whose status Deno then never learns.
 *
 * @param pid The child: a pid; 0 for any child of the caller's process group; -1 for any child; below -1 for any child of group -pid.
 * @param options {@linkcode WNOHANG}, {@linkcode WUNTRACED} and {@linkcode WCONTINUED}, or-ed together; 0 by default.
 * @returns The child, its new state and its usage; `null` if `WNOHANG` is given and there are such children, but none has changed.
 * @throws {PosixError} `ECHILD` if there is no such child; `EINVAL` if the options are unknown; `ESRCH` if `pid` is -2147483648.
 * @throws {RangeError} If `pid` or `options` is no C `int`; a `TypeError` if it is not a number.
 *
 * @example Measuring one given child
 * ```ts
 * import { _exit, fork } from "@posix/process/process";
 * import { wait4 } from "@posix/process/wait";
 * import { assert, assertEquals } from "@std/assert";
 *
 * const pid = fork();
 * if (pid === 0) _exit(0);
 * const { status, rusage } = wait4(pid)!;
 * assertEquals(status, { kind: "exited", code: 0 });
 * assert(rusage.utime + rusage.stime < 60); // seconds
 * ```
 *
 * @see {@link https://man7.org/linux/man-pages/man2/wait4.2.html | wait4(2)}
 */
export function wait4(
  pid: number,
  options: number = 0,
): WaitUsageResult | null {
  return waitWithUsage("wait4", pid, options);
}
