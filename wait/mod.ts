/**
 * Waiting for children: the `wait` family of C, what their status words say, what they have used, and a wait that does not
 * block the event loop.
 *
 * {@linkcode wait}, {@linkcode waitpid}, {@linkcode wait3}, {@linkcode wait4} and {@linkcode waitid} block the thread as in C,
 * unless they are called with {@linkcode WNOHANG}; {@linkcode waitAsync} is the one for programs that have something else to
 * do. A child that has ended stays a zombie until one of them has reaped it.
 *
 * A child of `Deno.Command` is Deno's to reap: leave it out by waiting for known pids only.
 *
 * @example A child's exit code
 * ```ts
 * import { _exit, fork } from "@posix/process/process";
 * import { waitpid, WEXITSTATUS, WIFEXITED } from "@posix/process/wait";
 * import { assert, assertEquals } from "@std/assert";
 *
 * const pid = fork();
 * if (pid === 0) _exit(7);
 * const child = waitpid(pid)!;
 * assertEquals(child.status, { kind: "exited", code: 7 });
 *
 * // The same with the macros of C:
 * assert(WIFEXITED(child.raw));
 * assertEquals(WEXITSTATUS(child.raw), 7);
 * ```
 *
 * @module
 */

export {
  WCONTINUED,
  WEXITED,
  WNOHANG,
  WNOWAIT,
  WSTOPPED,
  WUNTRACED,
} from "../ffi/constants.ts";
export {
  decodeStatus,
  WCOREDUMP,
  WEXITSTATUS,
  WIFCONTINUED,
  WIFEXITED,
  WIFSIGNALED,
  WIFSTOPPED,
  WSTOPSIG,
  WTERMSIG,
} from "./status.ts";
export type {
  Rusage,
  WaitidResult,
  WaitResult,
  WaitStatus,
  WaitUsageResult,
} from "./types.ts";
export { wait, wait3, wait4, waitpid } from "./wait.ts";
export { waitAsync, type WaitAsyncOptions } from "./wait_async.ts";
export { waitid, type WaitidType } from "./waitid.ts";
