import { checkInteger } from "../ffi/_arguments.ts";
import { checkValue } from "../ffi/_results.ts";
import { processSymbols } from "../ffi/_symbols.ts";

/**
 * `getpgid(pid)`: the process group of a process.
 *
 * @param pid The process; 0, the default, is the calling one.
 * @returns The group's id, which is the pid of the process that founded it; 0 for a group outside the caller's pid namespace.
 * @throws {PosixError} `ESRCH` if there is no such process.
 *
 * @example A child starts in its parent's group
 * ```ts
 * import { _exit, fork, getpgid, getpgrp } from "@posix/process/process";
 * import { waitpid } from "@posix/process/wait";
 * import { assertEquals } from "@std/assert";
 *
 * const pid = fork();
 * if (pid === 0) _exit(0);
 * assertEquals(getpgid(pid), getpgrp());
 * waitpid(pid);
 * ```
 *
 * @see {@link https://man7.org/linux/man-pages/man2/getpgid.2.html | getpgid(2)}
 */
export function getpgid(pid = 0): number {
  checkInteger(pid, "pid");
  return checkValue(
    processSymbols().getpgid(pid),
    "getpgid",
    () => `Cannot get the process group of process ${pid}`,
  );
}
