import { waitWithUsage } from "./_wait_for.ts";
import type { WaitUsageResult } from "./types.ts";

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
