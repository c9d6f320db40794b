import { checkInteger } from "../ffi/_arguments.ts";
import { checkZero } from "../ffi/_results.ts";
import { signalNumber } from "../ffi/_signals.ts";
import { siginfoSymbols } from "../ffi/_symbols.ts";
import type { Signal } from "./signals.ts";

/**
 * `sigqueue(pid, sig, value)`: sends a signal to a process, with a number.
 *
 * The receiver finds the number, and who sent it, in what {@linkcode sigwait} or {@linkcode signals} gives; a listener of
 * `Deno.addSignalListener` is told of the signal alone. Real-time signals (`"SIGRTMIN"` to `"SIGRTMAX"`) queue and arrive as often
 * as they were sent; of the others, one at a time can be under way.
 *
 * @param pid The process, above 0: groups are for {@linkcode kill}.
 * @param signal Its name or number; 0 sends nothing, and only asks whether the process exists and may be signalled.
 * @param value The number, a C `int`.
 * @throws {PosixError} `ESRCH` if there is no such process; `EPERM` if the caller may not signal it; `EAGAIN` if as many signals
 * are queued as `RLIMIT_SIGPENDING` allows.
 * @throws {TypeError} If there is no signal of that name; the message has the nearest one.
 * @throws {RangeError} If the number is no integer from 0 to 64, `pid` not above 0, or `value` no 32-bit integer.
 *
 * @example A signal with a number, to oneself
 * ```ts
 * import { getpid, sigprocmask, sigqueue, sigwait } from "@posix/process/process";
 * import { assertEquals } from "@std/assert";
 *
 * sigprocmask("SIG_BLOCK", ["SIGRTMIN"]);
 * sigqueue(getpid(), "SIGRTMIN", -7);
 * assertEquals(sigwait(["SIGRTMIN"])?.value, -7);
 * sigprocmask("SIG_UNBLOCK", ["SIGRTMIN"]);
 * ```
 *
 * @see {@link https://man7.org/linux/man-pages/man3/sigqueue.3.html | sigqueue(3)}
 */
export function sigqueue(
  pid: number,
  signal: Signal | number,
  value: number = 0,
): void {
  checkInteger(pid, "pid", 1);
  const number = signalNumber(signal);
  checkInteger(value, "value");
  checkZero(
    siginfoSymbols().sigqueue(pid, number, BigInt.asUintN(32, BigInt(value))),
    "sigqueue",
    () => `Cannot send signal ${signal} to process ${pid}`,
  );
}
