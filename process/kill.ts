import { checkInteger } from "../ffi/_arguments.ts";
import { checkZero } from "../ffi/_libc.ts";
import { signalNumber } from "../ffi/_signals.ts";
import { siginfoSymbols, signalSymbols } from "../ffi/_symbols.ts";
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
