import { checkValue } from "../ffi/_results.ts";
import { processSymbols } from "../ffi/_symbols.ts";

/**
 * `setsid()`: founds a new session with the calling process as its leader, in a new process group and without a controlling
 * terminal.
 *
 * A process started by a shell usually leads its group already, and must fork first: the child leads none.
 *
 * @returns The id of the new session and group: the caller's pid.
 * @throws {PosixError} `EPERM` if the caller leads a process group.
 *
 * @example A session for a child
 * ```ts
 * import { _exit, fork, getpgrp, getpid, getsid, setsid } from "@posix/process/process";
 * import { waitpid } from "@posix/process/wait";
 * import { assertEquals } from "@std/assert";
 *
 * const pid = fork();
 * if (pid === 0) {
 *   const session = setsid();
 *   const leads = [session, getsid(), getpgrp()].every((id) => id === getpid());
 *   _exit(leads ? 0 : 1);
 * }
 * assertEquals(waitpid(pid)?.status, { kind: "exited", code: 0 });
 * ```
 *
 * @see {@link https://man7.org/linux/man-pages/man2/setsid.2.html | setsid(2)}
 */
export function setsid(): number {
  return checkValue(
    processSymbols().setsid(),
    "setsid",
    () => "Cannot found a session",
  );
}
