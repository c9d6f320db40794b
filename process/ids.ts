import { checkDescriptor, checkInteger } from "../ffi/_arguments.ts";
import { checkErrorNumber, checkValue, checkZero } from "../ffi/_libc.ts";
import { SIGNAL_NUMBERS, signalSet } from "../ffi/_signals.ts";
import {
  foregroundSymbols,
  processSymbols,
  signalSymbols,
} from "../ffi/_symbols.ts";
import { SIG_BLOCK, SIG_SETMASK } from "../ffi/constants.ts";
import { SIGSET } from "../ffi/layouts.ts";

/**
 * `getpid()`: the id of the calling process.
 *
 * Right in a forked child too, where `Deno.pid` may still be the parent's.
 *
 * @returns The pid.
 *
 * @example The process that runs this
 * ```ts
 * import { getpid } from "@posix/process/process";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(getpid(), Deno.pid);
 * ```
 *
 * @see {@link https://man7.org/linux/man-pages/man2/getpid.2.html | getpid(2)}
 */
export function getpid(): number {
  return processSymbols().getpid();
}

/**
 * `getppid()`: the id of the parent of the calling process.
 *
 * When the parent ends, its children get a new one: the nearest ancestor that is a child subreaper, or else process 1. Asked
 * again, the call then gives that one's pid. It gives 0 where the parent lives outside the caller's pid namespace.
 *
 * @returns The parent's pid.
 *
 * @example A child knows its parent
 * ```ts
 * import { _exit, fork, getpid, getppid } from "@posix/process/process";
 * import { waitpid } from "@posix/process/wait";
 * import { assertEquals } from "@std/assert";
 *
 * const parent = getpid();
 * const pid = fork();
 * if (pid === 0) _exit(getppid() === parent ? 0 : 1);
 * assertEquals(waitpid(pid)?.status, { kind: "exited", code: 0 });
 * ```
 *
 * @see {@link https://man7.org/linux/man-pages/man2/getppid.2.html | getppid(2)}
 */
export function getppid(): number {
  return processSymbols().getppid();
}

/**
 * `getpgrp()`: the process group of the calling process.
 *
 * @returns The group's id, which is the pid of its leader.
 *
 * @example The same as asking for one's own
 * ```ts
 * import { getpgid, getpgrp } from "@posix/process/process";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(getpgrp(), getpgid(0));
 * ```
 *
 * @see {@link https://man7.org/linux/man-pages/man2/getpgrp.2.html | getpgrp(2)}
 */
export function getpgrp(): number {
  return processSymbols().getpgrp();
}

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

/**
 * `tcgetpgrp(fd)`: the process group in the foreground of a terminal: the one that may read, and that Ctrl+C reaches.
 *
 * @param fd A descriptor of the caller's controlling terminal, or of a pseudo-terminal's controller.
 * @returns The group's id; where no group is in the foreground, a number above 1 that no group has, or, of a controller, 0.
 * @throws {PosixError} `ENOTTY` if the descriptor is no terminal, or not the caller's controlling one; `EBADF` if it is not open.
 * @throws {RangeError} If `fd` is no integer of 0 or more.
 *
 * @example Whether this program is in the foreground
 * ```ts
 * import { getpgrp, tcgetpgrp } from "@posix/process/process";
 * import { PosixError } from "@posix/process";
 * import { assert } from "@std/assert";
 *
 * function inForeground(): boolean {
 *   try {
 *     return tcgetpgrp(0) === getpgrp();
 *   } catch (error) {
 *     assert(error instanceof PosixError); // without a terminal: ENOTTY
 *     return false;
 *   }
 * }
 * assert(typeof inForeground() === "boolean");
 * ```
 *
 * @see {@link https://man7.org/linux/man-pages/man3/tcgetpgrp.3.html | tcgetpgrp(3)}
 */
export function tcgetpgrp(fd: number): number {
  checkDescriptor(fd);
  return checkValue(
    foregroundSymbols().tcgetpgrp(fd),
    "tcgetpgrp",
    () => `Cannot get the foreground group of descriptor ${fd}`,
  );
}

/**
 * `tcsetpgrp(fd, pgrp)`: puts a process group into the foreground of a terminal, as a shell does with `fg`.
 *
 * In C, a caller that is in the background itself is sent SIGTTOU, which stops it, unless it blocks or ignores the signal. A shell
 * that takes its terminal back must therefore block it, and that is done here for the time of the call.
 *
 * @param fd A descriptor of the caller's controlling terminal.
 * @param pgid The group: it must be there, and be of the caller's session.
 * @throws {PosixError} `ENOTTY` if the descriptor is no terminal, or not the caller's controlling one; `EPERM` if the group is not in
 * the caller's session; `ESRCH` if there is no such group; `EINVAL` if `pgid` is negative; `EBADF` if `fd` is not open.
 * @throws {RangeError} If `fd` is no integer of 0 or more, or `pgid` no 32-bit integer.
 *
 * @example What is no terminal has no foreground
 * ```ts
 * import { getpgrp, tcsetpgrp } from "@posix/process/process";
 * import { close, pipe } from "@posix/process/ipc";
 * import { PosixError } from "@posix/process";
 * import { assertEquals, assertThrows } from "@std/assert";
 *
 * const [reader, writer] = pipe();
 * const error = assertThrows(() => tcsetpgrp(reader, getpgrp()), PosixError);
 * assertEquals(error.code, "ENOTTY");
 * close(reader);
 * close(writer);
 * ```
 *
 * @see {@link https://man7.org/linux/man-pages/man3/tcsetpgrp.3.html | tcsetpgrp(3)}
 */
export function tcsetpgrp(fd: number, pgid: number): void {
  checkDescriptor(fd);
  checkInteger(pgid, "pgid");
  const libc = foregroundSymbols();
  const onlySigttou = signalSet([SIGNAL_NUMBERS.SIGTTOU]);
  const action = () =>
    `Cannot put process group ${pgid} into the foreground of descriptor ${fd}`;
  const former = changeMask(SIG_BLOCK, onlySigttou, action);
  try {
    checkZero(libc.tcsetpgrp(fd, pgid), "tcsetpgrp", action);
  } finally {
    changeMask(SIG_SETMASK, former, action);
  }
}

/** Changes the signal mask of this thread, on which the call is made; gives the former one. */
function changeMask(
  how: number,
  mask: Uint8Array<ArrayBuffer>,
  action: () => string,
): Uint8Array<ArrayBuffer> {
  const former = new Uint8Array(SIGSET.size);
  checkErrorNumber(
    signalSymbols().pthread_sigmask(how, mask, former),
    "pthread_sigmask",
    action,
  );
  return former;
}
