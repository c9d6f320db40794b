import { checkInteger } from "../ffi/_arguments.ts";
import { signalNameOf } from "../ffi/_signals.ts";
import type { WaitStatus } from "./types.ts";

/**
 * The macros of `<sys/wait.h>` that take a raw status word apart, with glibc's definitions.
 *
 * `decodeStatus` does the same in one step.
 */

/** The low byte of a stopped child's word; so there is no signal 127 to kill anybody. */
const STOPPED = 0x7f;
const CONTINUED = 0xffff;
/** Set beside the signal that has killed a child, where there is a core dump. */
export const CORE_BIT = 0x80;

/**
 * `WIFEXITED(status)`: whether the child has ended by itself.
 *
 * @param raw The raw status word, a C `int`.
 * @returns Whether {@linkcode WEXITSTATUS} applies.
 * @throws {TypeError} If `raw` is not a number; a `RangeError` if it is no C `int`.
 *
 * @example Telling an exit from a kill
 * ```ts
 * import { WIFEXITED } from "@posix/process/wait";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(WIFEXITED(0x0300), true);
 * assertEquals(WIFEXITED(9), false);
 * ```
 *
 * @see {@link https://man7.org/linux/man-pages/man2/wait.2.html | wait(2)}
 */
export function WIFEXITED(raw: number): boolean {
  return WTERMSIG(raw) === 0;
}

/**
 * `WEXITSTATUS(status)`: the exit code of a child that has ended by itself.
 *
 * @param raw The raw status word, a C `int`.
 * @returns The exit code, 0 to 255; without meaning unless {@linkcode WIFEXITED} holds.
 * @throws {TypeError} If `raw` is not a number; a `RangeError` if it is no C `int`.
 *
 * @example Reading the exit code
 * ```ts
 * import { WEXITSTATUS } from "@posix/process/wait";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(WEXITSTATUS(0x0300), 3);
 * ```
 *
 * @see {@link https://man7.org/linux/man-pages/man2/wait.2.html | wait(2)}
 */
export function WEXITSTATUS(raw: number): number {
  return (checkInteger(raw, "raw") & 0xff00) >> 8;
}

/**
 * `WIFSIGNALED(status)`: whether the child was killed by a signal.
 *
 * @param raw The raw status word, a C `int`.
 * @returns Whether {@linkcode WTERMSIG} and {@linkcode WCOREDUMP} apply.
 * @throws {TypeError} If `raw` is not a number; a `RangeError` if it is no C `int`.
 *
 * @example Telling a kill from a stop
 * ```ts
 * import { WIFSIGNALED } from "@posix/process/wait";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(WIFSIGNALED(9), true);
 * assertEquals(WIFSIGNALED(0x137f), false);
 * ```
 *
 * @see {@link https://man7.org/linux/man-pages/man2/wait.2.html | wait(2)}
 */
export function WIFSIGNALED(raw: number): boolean {
  const signal = WTERMSIG(raw);
  return signal !== 0 && signal !== STOPPED;
}

/**
 * `WTERMSIG(status)`: the number of the signal that killed the child.
 *
 * @param raw The raw status word, a C `int`.
 * @returns The signal's number, the core bit left out; without meaning unless {@linkcode WIFSIGNALED} holds.
 * @throws {TypeError} If `raw` is not a number; a `RangeError` if it is no C `int`.
 *
 * @example Reading the signal of a child that dumped core
 * ```ts
 * import { WTERMSIG } from "@posix/process/wait";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(WTERMSIG(0x80 | 6), 6);
 * ```
 *
 * @see {@link https://man7.org/linux/man-pages/man2/wait.2.html | wait(2)}
 */
export function WTERMSIG(raw: number): number {
  return checkInteger(raw, "raw") & 0x7f;
}

/**
 * `WCOREDUMP(status)`: whether the killed child dumped core.
 *
 * @param raw The raw status word, a C `int`.
 * @returns Whether the core bit is set; without meaning unless {@linkcode WIFSIGNALED} holds.
 * @throws {TypeError} If `raw` is not a number; a `RangeError` if it is no C `int`.
 *
 * @example Asking for the core dump
 * ```ts
 * import { WCOREDUMP } from "@posix/process/wait";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(WCOREDUMP(0x80 | 6), true);
 * assertEquals(WCOREDUMP(6), false);
 * ```
 *
 * @see {@link https://man7.org/linux/man-pages/man2/wait.2.html | wait(2)}
 */
export function WCOREDUMP(raw: number): boolean {
  return (checkInteger(raw, "raw") & CORE_BIT) !== 0;
}

/**
 * `WIFSTOPPED(status)`: whether the child was stopped by a signal.
 *
 * @param raw The raw status word, a C `int`.
 * @returns Whether {@linkcode WSTOPSIG} applies.
 * @throws {TypeError} If `raw` is not a number; a `RangeError` if it is no C `int`.
 *
 * @example Telling a stop from a continuation
 * ```ts
 * import { WIFSTOPPED } from "@posix/process/wait";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(WIFSTOPPED(0x137f), true);
 * assertEquals(WIFSTOPPED(0xffff), false);
 * ```
 *
 * @see {@link https://man7.org/linux/man-pages/man2/wait.2.html | wait(2)}
 */
export function WIFSTOPPED(raw: number): boolean {
  return (checkInteger(raw, "raw") & 0xff) === STOPPED;
}

/**
 * `WSTOPSIG(status)`: the number of the signal that stopped the child.
 *
 * @param raw The raw status word, a C `int`.
 * @returns The signal's number; without meaning unless {@linkcode WIFSTOPPED} holds.
 * @throws {TypeError} If `raw` is not a number; a `RangeError` if it is no C `int`.
 *
 * @example Reading the signal
 * ```ts
 * import { WSTOPSIG } from "@posix/process/wait";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(WSTOPSIG(0x137f), 19); // SIGSTOP
 * ```
 *
 * @see {@link https://man7.org/linux/man-pages/man2/wait.2.html | wait(2)}
 */
export function WSTOPSIG(raw: number): number {
  return WEXITSTATUS(raw);
}

/**
 * `WIFCONTINUED(status)`: whether the child was continued by SIGCONT.
 *
 * @param raw The raw status word, a C `int`.
 * @returns Whether it was.
 * @throws {TypeError} If `raw` is not a number; a `RangeError` if it is no C `int`.
 *
 * @example Telling a continuation from a stop
 * ```ts
 * import { WIFCONTINUED } from "@posix/process/wait";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(WIFCONTINUED(0xffff), true);
 * assertEquals(WIFCONTINUED(0x137f), false);
 * ```
 *
 * @see {@link https://man7.org/linux/man-pages/man2/wait.2.html | wait(2)}
 */
export function WIFCONTINUED(raw: number): boolean {
  return checkInteger(raw, "raw") === CONTINUED;
}

/**
 * Takes a raw status word apart, as C programs do with the `WIF…` macros of `<sys/wait.h>`.
 *
 * Any C `int` is decoded. Signals have the names of bash's `kill -l`; a number without a name is `"SIG32"` and the like.
 * A word that no macro accepts, and that Linux never gives (0x00ff … 0xfeff with the low byte 0xff), is decoded by its
 * bits, as a kill by the signal 127 that there is not: `"SIG127"`.
 *
 * @param raw The raw status word, as in {@linkcode WaitResult}.
 * @returns What the word says.
 * @throws {TypeError} If `raw` is not a number; a `RangeError` if it is no C `int`.
 *
 * @example Decoding the four kinds of words
 * ```ts
 * import { decodeStatus } from "@posix/process/wait";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(decodeStatus(0x0300), { kind: "exited", code: 3 });
 * assertEquals(decodeStatus(9), { kind: "signaled", signal: "SIGKILL", coreDumped: false });
 * assertEquals(decodeStatus(0x137f), { kind: "stopped", signal: "SIGSTOP" });
 * assertEquals(decodeStatus(0xffff), { kind: "continued" });
 * ```
 *
 * @see {@link https://man7.org/linux/man-pages/man2/wait.2.html | wait(2)}
 */
export function decodeStatus(raw: number): WaitStatus {
  if (WIFEXITED(raw)) return { kind: "exited", code: WEXITSTATUS(raw) };
  if (WIFCONTINUED(raw)) return { kind: "continued" };
  if (WIFSTOPPED(raw)) {
    return { kind: "stopped", signal: signalNameOf(WSTOPSIG(raw)) };
  }
  return {
    kind: "signaled",
    signal: signalNameOf(WTERMSIG(raw)),
    coreDumped: WCOREDUMP(raw),
  };
}
