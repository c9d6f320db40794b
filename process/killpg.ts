import { checkInteger } from "../ffi/_arguments.ts";
import { checkZero } from "../ffi/_results.ts";
import { signalNumber } from "../ffi/_signals.ts";

import { signalSymbols } from "../ffi/_symbols.ts";
import type { Signal } from "./signals.ts";

/**
 * `killpg(pgrp, sig)`: sends a signal to every process of a group.
 *
 * Group 1 is refused: POSIX leaves it undefined, and glibc makes `kill(-1, sig)` of it, a signal to every process that there is.
 *
 * @param pgid The group; 0 is the caller's own, the caller included.
 * @param signal Its name or number; 0 sends nothing, and only asks whether the group exists and may be signalled.
 * @throws {PosixError} `ESRCH` if there is no such group; `EPERM` if none of its processes may be signalled by the caller.
 * @throws {TypeError} If there is no signal of that name; the message has the nearest one.
 * @throws {RangeError} If `pgid` is 1, negative or no 32-bit integer, or the number no integer from 0 to 64.
 *
 * @example Ending a group of children
 * ```ts
 * import { fork, killpg, setpgid } from "@posix/process/process";
 * import { waitpid } from "@posix/process/wait";
 * import { assertEquals } from "@std/assert";
 *
 * const first = fork();
 * if (first === 0) for (;;); // until the signal comes
 * setpgid(first, first);
 * const second = fork();
 * if (second === 0) for (;;);
 * setpgid(second, first);
 *
 * killpg(first, "SIGKILL");
 * assertEquals([waitpid(first)?.raw, waitpid(second)?.raw], [9, 9]);
 * ```
 *
 * @see {@link https://man7.org/linux/man-pages/man3/killpg.3.html | killpg(3)}
 */
export function killpg(pgid: number, signal: Signal | number): void {
  checkInteger(pgid, "pgid", 0);
  if (pgid === 1) {
    throw new RangeError(
      "'pgid' must not be 1, which C takes for every process: current value is 1",
    );
  }
  const number = signalNumber(signal);
  checkZero(
    signalSymbols().killpg(pgid, number),
    "killpg",
    () => `Cannot send signal ${signal} to process group ${pgid}`,
  );
}
