import { checkInteger } from "../ffi/_arguments.ts";
import { checkValue } from "../ffi/_results.ts";
import { processSymbols } from "../ffi/_symbols.ts";

/**
 * `getsid(pid)`: the session of a process.
 *
 * @param pid The process; 0, the default, is the calling one.
 * @returns The session's id, which is the pid of its leader; 0 for a session outside the caller's pid namespace.
 * @throws {PosixError} `ESRCH` if there is no such process.
 *
 * @example A child starts in its parent's session
 * ```ts
 * import { _exit, fork, getsid } from "@posix/process/process";
 * import { waitpid } from "@posix/process/wait";
 * import { assertEquals } from "@std/assert";
 *
 * const pid = fork();
 * if (pid === 0) _exit(0);
 * assertEquals(getsid(pid), getsid());
 * waitpid(pid);
 * ```
 *
 * @see {@link https://man7.org/linux/man-pages/man2/getsid.2.html | getsid(2)}
 */
export function getsid(pid = 0): number {
  checkInteger(pid, "pid");
  return checkValue(
    processSymbols().getsid(pid),
    "getsid",
    () => `Cannot get the session of process ${pid}`,
  );
}
