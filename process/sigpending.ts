import { signalNameOf } from "../ffi/_signals.ts";
import { heldSignals } from "./_signals/held_signals.ts";
import type { Signal } from "./signals.ts";

/**
 * `sigpending(&set)`: the signals that have come while they were blocked by {@linkcode sigprocmask}, and wait.
 *
 * A signal hits any of Deno's threads, and shows a moment after it was sent: also one that the process sends to itself, which in
 * C has come when `kill` returns.
 *
 * @returns Their names, each once, by number in order.
 * @throws {PosixError} `EMFILE` or `ENOTSUP` as for {@linkcode sigprocmask}, if the program was started with signals blocked.
 *
 * @example What waits
 * ```ts
 * import { getpid, kill, sigpending, sigprocmask, sigwait } from "@posix/process/process";
 * import { assertEquals } from "@std/assert";
 *
 * sigprocmask("SIG_BLOCK", ["SIGUSR1", "SIGUSR2"]);
 * kill(getpid(), "SIGUSR2");
 * while (sigpending().length === 0); // a moment later
 * assertEquals(sigpending(), ["SIGUSR2"]);
 * sigwait(["SIGUSR2"]);
 * sigprocmask("SIG_UNBLOCK", ["SIGUSR1", "SIGUSR2"]);
 * ```
 *
 * @see {@link https://man7.org/linux/man-pages/man2/sigpending.2.html | sigpending(2)}
 */
export function sigpending(): Signal[] {
  return heldSignals.pending.map((number) => signalNameOf(number) as Signal);
}
