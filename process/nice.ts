import { checkInteger } from "../ffi/_arguments.ts";
import { PRIO_PROCESS, SYS_getpriority } from "../ffi/constants.ts";
import { readErrno } from "../ffi/_errno.ts";
import { ERRNO } from "../ffi/errno.ts";
import { checkValue, errorFor } from "../ffi/_results.ts";
import { schedulingSymbols } from "../ffi/_symbols.ts";

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
