import { waitFor } from "./_wait_for.ts";
import type { WaitResult } from "./types.ts";

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
