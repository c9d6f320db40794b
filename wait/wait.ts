import { waitFor } from "./_wait_for.ts";
import type { WaitResult } from "./types.ts";

/**
 * `wait(&status)`: waits until any child has ended, and reaps it.
 *
 * Blocks the thread, event loop included; see {@linkcode waitAsync} for the version that does not. Retried on `EINTR`.
 * Any child means any: those of `Deno.Command` too, whose statuses Deno then never learns. Where there are such, wait
 * for known pids with {@linkcode waitpid}.
 *
 * @returns The child and how it ended.
 * @throws {PosixError} `ECHILD` if there are no children, or if SIGCHLD is ignored and the last has ended.
 *
 * @example Reaping a child
 * ```ts
 * import { _exit, fork } from "@posix/process/process";
 * import { wait } from "@posix/process/wait";
 * import { assertEquals } from "@std/assert";
 *
 * const pid = fork();
 * if (pid === 0) _exit(3);
 * assertEquals(wait(), { pid, raw: 0x0300, status: { kind: "exited", code: 3 } });
 * ```
 *
 * @see {@link https://man7.org/linux/man-pages/man2/wait.2.html | wait(2)}
 */
export function wait(): WaitResult {
  // Without WNOHANG there is always something to report.
  return waitFor("wait", -1, 0)!;
}
