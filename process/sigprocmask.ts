import { checkName } from "../ffi/_arguments.ts";
import { signalNameOf } from "../ffi/_signals.ts";
import { catchableSignals } from "./_signals/arguments.ts";
import { heldSignals } from "./_signals/held_signals.ts";
import type { Signal } from "./signals.ts";

/** What {@linkcode sigprocmask} does with its signals. */
export type SigprocmaskHow = "SIG_BLOCK" | "SIG_UNBLOCK" | "SIG_SETMASK";

const HOW: readonly SigprocmaskHow[] = [
  "SIG_BLOCK",
  "SIG_UNBLOCK",
  "SIG_SETMASK",
];

/**
 * `sigprocmask(how, &set, &oldset)`: says which signals have to wait.
 *
 * A signal that is blocked does nothing, neither its default nor what a listener would do, until it is unblocked: then it
 * does it before this returns, or, where Deno's own handler does it, a moment later. {@linkcode sigpending} shows what waits, and {@linkcode sigwait} takes it out. Of the signals 1
 * to 31 one of each waits, as in C; the real-time ones queue.
 *
 * In C the mask is a thread's own, and Deno has several threads, of which any would take the signal. So here it is the process's:
 * blocked signals are caught, whichever thread they hit, and kept. What is different from a mask of the kernel's: `/proc` shows
 * them as caught, not as blocked; at most some 8,000 can wait that no call has looked at; a program that is executed starts
 * with none blocked and none waiting. A forked child starts with the same mask, and none waiting.
 *
 * A child of `Deno.Command` is noticed though SIGCHLD is blocked. Signals are not blocked by {@linkcode setSignal} or a listener
 * that is added meanwhile: both apply to what comes out in the end.
 *
 * @param how `"SIG_BLOCK"` adds the signals to those that are blocked, `"SIG_UNBLOCK"` takes them out, `"SIG_SETMASK"` blocks
 * them and no others.
 * @param signals The signals, by name or number.
 * @returns The signals that were blocked before, by number in order; for `"SIG_SETMASK"`, to restore them.
 * @throws {PosixError} `ENOTSUP` in a worker, which is only one thread of the process; `EMFILE` if there is no descriptor free.
 * @throws {TypeError} If there is no signal of that name, or it is SIGKILL or SIGSTOP, which nobody can block, or a fault such
 * as SIGSEGV, which the program would commit again and again.
 * @throws {RangeError} If a number is no signal.
 *
 * @example A piece of work that no Ctrl-C tears apart
 * ```ts
 * import { getpid, kill, sigprocmask, sigwait } from "@posix/process/process";
 * import { assertEquals } from "@std/assert";
 *
 * const before = sigprocmask("SIG_BLOCK", ["SIGINT"]);
 * kill(getpid(), "SIGINT"); // waits
 * assertEquals(sigwait(["SIGINT"])?.signal, "SIGINT");
 * assertEquals(sigprocmask("SIG_SETMASK", before), ["SIGINT"]);
 * ```
 *
 * @see {@link https://man7.org/linux/man-pages/man2/sigprocmask.2.html | sigprocmask(2)}
 */
export function sigprocmask(
  how: SigprocmaskHow,
  signals: readonly (Signal | number)[],
): Signal[] {
  checkName(how, "how", HOW);
  const numbers = catchableSignals(signals);
  const before = heldSignals.numbers;
  if (how === "SIG_UNBLOCK") heldSignals.release(numbers);
  else {
    heldSignals.hold(numbers);
    if (how === "SIG_SETMASK") {
      heldSignals.release(before.filter((n) => !numbers.includes(n)));
    }
  }
  return before.map((number) => signalNameOf(number) as Signal);
}
