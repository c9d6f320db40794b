import { checkInteger } from "../ffi/_arguments.ts";
import { signalNameOf } from "../ffi/_signals.ts";

/**
 * `sigabbrev_np(sig)`, or `kill -l number`: the name of a signal, with its `SIG`.
 *
 * @param signal The number.
 * @returns The name, as bash gives it; `"SIG32"` and `"SIG33"` for the two that have none.
 * @throws {RangeError} If `signal` is no integer from 1 to 64.
 *
 * @example Naming a number
 * ```ts
 * import { signalName } from "@posix/process/process";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(signalName(15), "SIGTERM");
 * assertEquals(signalName(37), "SIGRTMIN+3");
 * ```
 *
 * @see {@link https://man7.org/linux/man-pages/man7/signal.7.html | signal(7)}
 */
export function signalName(signal: number): string {
  return signalNameOf(checkInteger(signal, "signal", 1, 64));
}
