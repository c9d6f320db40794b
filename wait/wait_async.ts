import { checkAbortSignal, checkInteger } from "../ffi/_arguments.ts";
import { WNOHANG } from "../ffi/constants.ts";
import { isPending, pendingChild } from "./_pending_child.ts";
import type { WaitUsageResult } from "./types.ts";
import { wait4 } from "./wait4.ts";

/** Options for {@linkcode waitAsync}. */
export interface WaitAsyncOptions {
  /**
   * Gives up waiting. The child is neither signalled nor reaped, and can be waited for again.
   *
   * @default {undefined}
   */
  signal?: AbortSignal;
}

/**
 * Waits until a child has ended and reaps it, as `wait4(pid, &status, 0, &rusage)` does, without blocking the event loop.
 *
 * Nothing is polled in intervals: the kernel announces the end on a pidfd. All children that are waited for share one
 * thread of Deno's pool, however many they are. No child but the given one is ever reaped, so the children of
 * `Deno.Command` are safe. The event loop stays alive as long as a wait is pending.
 *
 * Several waits for one child all resolve to the same result. In a child made by `fork`, the parent's pending waits never
 * settle; it can wait for children of its own.
 *
 * Every failure, a wrong argument included, is a rejection. When the last pending wait settles, nothing is left behind:
 * no descriptor is open, and no operation is under way.
 *
 * @param pid The child's pid, above 0.
 * @param options Options for giving up.
 * @returns The child, how it ended, and what it has used.
 * @throws {PosixError} `ECHILD` if it is no child of this process, or has been reaped already, be it before the call or
 * by somebody else during the wait; `EMFILE` or `ENFILE` if no descriptor can be opened; `ENOSYS` if Linux is older than 5.3.
 * @throws {RangeError} If `pid` is 0, negative, or no C `int`.
 * @throws {TypeError} If `pid` is not a number, or `signal` is no `AbortSignal`.
 * @throws {unknown} The signal's reason if it is aborted: at once if it was so before, else when all is released.
 *
 * @example Waiting for two children at once
 * ```ts
 * import { _exit, fork } from "@posix/process/process";
 * import { waitAsync } from "@posix/process/wait";
 * import { assertEquals } from "@std/assert";
 *
 * const pids = [1, 2].map((code) => {
 *   const pid = fork();
 *   if (pid === 0) _exit(code);
 *   return pid;
 * });
 * const results = await Promise.all(pids.map((pid) => waitAsync(pid)));
 * assertEquals(results.map(({ status }) => status), [
 *   { kind: "exited", code: 1 },
 *   { kind: "exited", code: 2 },
 * ]);
 * ```
 *
 * @see {@link https://man7.org/linux/man-pages/man2/wait4.2.html | wait4(2)}
 * @see {@link https://man7.org/linux/man-pages/man2/pidfd_open.2.html | pidfd_open(2)}
 */
export async function waitAsync(
  pid: number,
  options: WaitAsyncOptions = {},
): Promise<WaitUsageResult> {
  checkInteger(pid, "pid", 1);
  const { signal } = options;
  checkAbortSignal(signal);
  signal?.throwIfAborted();
  const ended = isPending(pid) ? null : wait4(pid, WNOHANG);
  return ended ?? await pendingChild(pid, signal);
}
