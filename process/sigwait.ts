import { checkTimeout } from "../ffi/_arguments.ts";
import { catchableSignals } from "./_signals/arguments.ts";
import { caughtSignals } from "./_signals/caught_signals.ts";
import { heldSignals } from "./_signals/held_signals.ts";
import { decodeSignal, type SignalInfo } from "./_signals/signal_info.ts";
import type { Signal } from "./signals.ts";

/** Options for {@linkcode sigwait}. */
export interface SigwaitOptions {
  /**
   * The longest to wait, in milliseconds; 0 to look without waiting.
   *
   * @default {Infinity}
   */
  timeout?: number;
}

/**
 * `sigtimedwait(&set, &info, &timeout)`: waits for a signal, takes it, and tells who sent it.
 *
 * Blocks the thread, event loop included; {@linkcode signals} is the version that does not. A signal that waits already is taken
 * at once: the lowest number first, and of one number the oldest.
 *
 * The signals are to be blocked before, with {@linkcode sigprocmask}, so that none comes too early, just as in C. Those that are not
 * are blocked here for the time of the wait, and if more than one of them comes, what was not taken does what it
 * does when the wait is over. One that comes at the very moment when that begins may be lost. No other signal ends the wait.
 *
 * @param signals The signals to wait for, at least one.
 * @param options How long to wait.
 * @returns The signal and its sender; `null` if the time is up.
 * @throws {PosixError} `ENOTSUP` in a worker; `EMFILE` if there is no descriptor free.
 * @throws {TypeError} If there is no signal of that name, or it cannot be blocked; see {@linkcode sigprocmask}.
 * @throws {RangeError} If there is no signal, a number is none, or the timeout is negative.
 *
 * @example A child that tells its parent something by a signal
 * ```ts
 * import { _exit, fork, getppid, sigprocmask, sigqueue, sigwait } from "@posix/process/process";
 * import { waitpid } from "@posix/process/wait";
 * import { assertEquals } from "@std/assert";
 *
 * sigprocmask("SIG_BLOCK", ["SIGUSR1"]);
 * const pid = fork();
 * if (pid === 0) {
 *   sigqueue(getppid(), "SIGUSR1", 42);
 *   _exit(0);
 * }
 * const info = sigwait(["SIGUSR1"], { timeout: 5000 });
 * assertEquals([info?.pid, info?.value], [pid, 42]);
 * sigprocmask("SIG_UNBLOCK", ["SIGUSR1"]);
 * waitpid(pid);
 * ```
 *
 * @see {@link https://man7.org/linux/man-pages/man2/sigwaitinfo.2.html | sigtimedwait(2)}
 */
export function sigwait(
  signals: readonly (Signal | number)[],
  options: SigwaitOptions = {},
): SignalInfo | null {
  const numbers = catchableSignals(signals);
  if (numbers.length === 0) {
    throw new RangeError("'signals' must hold at least one signal");
  }
  const timeout = checkTimeout(options.timeout ?? Infinity);
  const deadline = performance.now() + timeout;
  const fresh = heldSignals.hold(numbers);
  try {
    for (;;) {
      const info = heldSignals.take(numbers);
      if (info !== undefined) return decodeSignal(info);
      const rest = deadline - performance.now();
      if (rest <= 0) return null;
      caughtSignals.wait(rest);
    }
  } finally {
    heldSignals.release(fresh);
  }
}
