import { checkInteger } from "../ffi/_arguments.ts";
import { checkZero } from "../ffi/_results.ts";
import { processSymbols } from "../ffi/_symbols.ts";

/**
 * `setpgid(pid, pgid)`: moves a process into a process group, or founds one.
 *
 * A shell calls it in the parent and in the child alike, so that it is done whichever runs first.
 *
 * @param pid The calling process or a child of it that has not executed another program yet; 0 is the calling one.
 * @param pgid A group of the same session; the process's own pid, or 0 for that, founds a new group with it as the leader.
 * @throws {PosixError} `ESRCH` if `pid` is neither the caller nor a child of it; `EACCES` if the child has executed another
 * program; `EPERM` if the process is a session leader or in another session, or if there is no such group in its session;
 * `EINVAL` if `pgid` is negative.
 *
 * @example A group for a child
 * ```ts
 * import { fork, getpgid, killpg, setpgid } from "@posix/process/process";
 * import { waitpid } from "@posix/process/wait";
 * import { assertEquals } from "@std/assert";
 *
 * const pid = fork();
 * if (pid === 0) for (;;); // until the signal comes
 * setpgid(pid, 0);
 * const group = getpgid(pid);
 * killpg(group, "SIGKILL");
 * assertEquals(waitpid(pid)?.raw, 9);
 * assertEquals(group, pid);
 * ```
 *
 * @see {@link https://man7.org/linux/man-pages/man2/setpgid.2.html | setpgid(2)}
 */
export function setpgid(pid: number, pgid: number): void {
  checkInteger(pid, "pid");
  checkInteger(pgid, "pgid");
  checkZero(
    processSymbols().setpgid(pid, pgid),
    "setpgid",
    () => `Cannot move process ${pid} into process group ${pgid}`,
  );
}
