import { checkInteger } from "../ffi/_arguments.ts";
import { checkZero } from "../ffi/_results.ts";
import { signalNumber } from "../ffi/_signals.ts";

import { signalSymbols } from "../ffi/_symbols.ts";
import type { Signal } from "./signals.ts";

/**
 * `kill(pid, sig)`: sends a signal to a process, or to several.
 *
 * A pid that is not positive reaches more than one process, just as in C: **0** is every process of the caller's own group, the
 * caller included (and, at a terminal, often the whole pipeline that the caller is part of); **-1** is every process that the
 * caller may signal, but for itself and process 1 (as root: the whole system); below -1 it is the group `-pid`.
 *
 * The signal has been sent when the call returns, which says nothing about what it did: a zombie takes signals too.
 *
 * @param pid The process, or one of the above.
 * @param signal Its name or number; 0 sends nothing, and only asks whether the process exists and may be signalled.
 * @throws {PosixError} `ESRCH` if there is no such process or group; `EPERM` if none of them may be signalled by the caller.
 * @throws {TypeError} If there is no signal of that name; the message has the nearest one.
 * @throws {RangeError} If the number is no integer from 0 to 64, or `pid` no 32-bit integer.
 *
 * @example Ending a child
 * ```ts
 * import { fork, kill } from "@posix/process/process";
 * import { waitpid } from "@posix/process/wait";
 * import { assertEquals } from "@std/assert";
 *
 * const pid = fork();
 * if (pid === 0) for (;;); // until the signal comes
 * kill(pid, 0); // it is there
 * kill(pid, "SIGKILL");
 * assertEquals(waitpid(pid)?.raw, 9);
 * ```
 *
 * @see {@link https://man7.org/linux/man-pages/man2/kill.2.html | kill(2)}
 */
export function kill(pid: number, signal: Signal | number): void {
  checkInteger(pid, "pid");
  const number = signalNumber(signal);
  checkZero(
    signalSymbols().kill(pid, number),
    "kill",
    () => `Cannot send signal ${signal} to process ${pid}`,
  );
}
