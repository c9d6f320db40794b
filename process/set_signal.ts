import { checkName } from "../ffi/_arguments.ts";
import { SIG_DFL, SIG_IGN } from "../ffi/constants.ts";
import { settableSignal } from "./_signals/actions.ts";
import { caughtSignals } from "./_signals/caught_signals.ts";
import type { Signal } from "./signals.ts";

/** What a signal does: what it does by default, or nothing. */
export type Disposition = "default" | "ignore";

/**
 * `signal(sig, SIG_DFL)` or `signal(sig, SIG_IGN)`: has a signal do what it does by default, or nothing.
 *
 * For the whole process, at once, and instead of what Deno does about it: where there are listeners of `Deno.addSignalListener`,
 * they are not called any more. The next one that is added for that signal takes it back, with all of them; the last call
 * counts, as in C. Where {@linkcode signals} or {@linkcode sigprocmask} have the signal, it takes effect when they let it go.
 *
 * Where nobody listens, Deno's own handler may be what does the default: the process then ends a moment after the signal has come.
 *
 * Forked children have the same. A program that the process becomes by `exec` starts with the signal ignored where it is ignored
 * here (but for SIGPIPE): that is what `nohup` does. Those started by `spawn` start with defaults. Deno programs catch some
 * signals of their own accord soon after their start, and so forget that they were ignored.
 *
 * With SIGCHLD ignored, the kernel reaps all children at once: waiting for one fails with `ECHILD`, and `Deno.Command` may not learn how
 * its children end. With SIGPIPE at its default, a write that nobody reads ends the program, instead of failing with `EPIPE`.
 *
 * @param signal Its name or number.
 * @param disposition `"default"` or `"ignore"`.
 * @throws {PosixError} `ENOTSUP` in a worker, which is only one thread of the process; `EINVAL` if the system refuses it.
 * @throws {TypeError} If there is no signal of that name, it is SIGKILL or SIGSTOP, or the disposition is unknown.
 * @throws {RangeError} If the number is no signal.
 *
 * @example Ignoring Ctrl-\
 * ```ts
 * import { getpid, kill, setSignal } from "@posix/process/process";
 * import { assert } from "@std/assert";
 *
 * setSignal("SIGQUIT", "ignore");
 * kill(getpid(), "SIGQUIT");
 * assert(true, "still here");
 * setSignal("SIGQUIT", "default");
 * ```
 *
 * @see {@link https://man7.org/linux/man-pages/man2/signal.2.html | signal(2)}
 */
export function setSignal(
  signal: Signal | number,
  disposition: Disposition,
): void {
  const number = settableSignal(signal, "signal");
  checkName(disposition, "disposition", ["default", "ignore"]);
  caughtSignals.set(number, disposition === "ignore" ? SIG_IGN : SIG_DFL);
}
