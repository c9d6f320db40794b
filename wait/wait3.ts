import { waitWithUsage } from "./_wait_for.ts";
import type { WaitUsageResult } from "./types.ts";

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
