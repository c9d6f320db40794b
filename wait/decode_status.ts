import { signalNameOf } from "../ffi/_signals.ts";
import {
  WCOREDUMP,
  WEXITSTATUS,
  WIFCONTINUED,
  WIFEXITED,
  WIFSTOPPED,
  WSTOPSIG,
  WTERMSIG,
} from "./status_macros.ts";
import type { WaitStatus } from "./types.ts";

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
