import { checkName, checkNumber } from "../ffi/_arguments.ts";
import { ITIMERVAL } from "../ffi/layouts.ts";
import { checkZero } from "../ffi/_results.ts";
import {
  ITIMER_PROF,
  ITIMER_REAL,
  ITIMER_VIRTUAL,
} from "../ffi/signal_constants.ts";
import { timerSymbols } from "../ffi/_symbols.ts";

/** Which of its three timers a process means. */
export type IntervalTimer = "ITIMER_REAL" | "ITIMER_VIRTUAL" | "ITIMER_PROF";

/** How a timer stands, in seconds. */
export interface IntervalTimerValue {
  /** The time until it expires next; 0 if it does not run. */
  value: number;
  /** The time from each expiry to the next; 0 if it expires only once. */
  interval: number;
}

const TIMERS: Readonly<Record<IntervalTimer, number>> = {
  ITIMER_REAL,
  ITIMER_VIRTUAL,
  ITIMER_PROF,
};

/** The most seconds: 68 years, the largest `int`. */
const SECONDS_MAX = 0x7fff_ffff;

const MICROSECONDS = 1_000_000;

/**
 * `setitimer(which, &new, &old)`: has a signal sent to the process after some time, once or again and again.
 *
 * The signal ends the process unless it is caught, by {@linkcode signals} or `Deno.addSignalListener`, or blocked. There is one
 * timer of each kind a process: setting it replaces what it was, and `ITIMER_REAL` is the one of {@linkcode alarm} as
 * well. They survive `exec`; a forked child has none. An expiry that finds the signal of the former one still under way is
 * not told of: {@linkcode intervals} counts those.
 *
 * @param which `"ITIMER_REAL"` counts time and sends SIGALRM, `"ITIMER_VIRTUAL"` counts the CPU time of the process alone and sends
 * SIGVTALRM, `"ITIMER_PROF"` counts that of the kernel on its behalf as well and sends SIGPROF.
 * @param value The time until it first expires, in seconds and fractions of them, rounded up to whole microseconds; 0 stops it.
 * @param interval The time from each expiry to the next, likewise; 0 for only one.
 * @returns How it stood before.
 * @throws {TypeError} If the timer is unknown, or a time is not a number.
 * @throws {RangeError} If a time is negative, not a number, or above 2,147,483,647 seconds.
 *
 * @example Three ticks
 * ```ts
 * import { setitimer, signals } from "@posix/process/process";
 * import { assertEquals } from "@std/assert";
 *
 * const alarms = signals("SIGALRM");
 * setitimer("ITIMER_REAL", 0.01, 0.02);
 * let ticks = 0;
 * for await (const _ of alarms) {
 *   if (++ticks < 3) continue;
 *   assertEquals(setitimer("ITIMER_REAL", 0).interval, 0.02);
 *   break;
 * }
 * ```
 *
 * @see {@link https://man7.org/linux/man-pages/man2/setitimer.2.html | setitimer(2)}
 */
export function setitimer(
  which: IntervalTimer,
  value: number,
  interval: number = 0,
): IntervalTimerValue {
  const timer = timerNumber(which);
  const next = new DataView(new ArrayBuffer(ITIMERVAL.size));
  put(next, ITIMERVAL.fields.it_value, value, "value");
  put(next, ITIMERVAL.fields.it_interval, interval, "interval");
  const former = new DataView(new ArrayBuffer(ITIMERVAL.size));
  checkZero(
    timerSymbols().setitimer(timer, next, former),
    "setitimer",
    () => `Cannot set ${which}`,
  );
  return decode(former);
}

/**
 * `getitimer(which, &value)`: how one of the timers of {@linkcode setitimer} stands.
 *
 * @param which The timer.
 * @returns The time until it expires, and from then on, in seconds.
 * @throws {TypeError} If the timer is unknown.
 *
 * @example What is left
 * ```ts
 * import { getitimer, setitimer } from "@posix/process/process";
 * import { assert } from "@std/assert";
 *
 * setitimer("ITIMER_REAL", 100);
 * const { value, interval } = getitimer("ITIMER_REAL");
 * assert(value > 99 && value <= 100 && interval === 0);
 * setitimer("ITIMER_REAL", 0);
 * ```
 *
 * @see {@link https://man7.org/linux/man-pages/man2/getitimer.2.html | getitimer(2)}
 */
export function getitimer(which: IntervalTimer): IntervalTimerValue {
  const timer = timerNumber(which);
  const value = new DataView(new ArrayBuffer(ITIMERVAL.size));
  checkZero(
    timerSymbols().getitimer(timer, value),
    "getitimer",
    () => `Cannot read ${which}`,
  );
  return decode(value);
}

function timerNumber(which: IntervalTimer): number {
  return TIMERS[
    checkName(which, "which", Object.keys(TIMERS) as IntervalTimer[])
  ];
}

function put(
  view: DataView,
  offset: number,
  seconds: number,
  name: string,
): void {
  checkNumber(seconds, name);
  if (!(seconds >= 0 && seconds <= SECONDS_MAX)) {
    throw new RangeError(
      `'${name}' must be from 0 to ${SECONDS_MAX} seconds: current value is ${seconds}`,
    );
  }
  // Up, since 0 would stop the timer; but not for what only the binary fraction has put above a whole number.
  const exact = seconds * MICROSECONDS;
  const nearest = Math.round(exact);
  const microseconds = Math.abs(exact - nearest) < 1e-3 && nearest > 0
    ? nearest
    : Math.ceil(exact);
  view.setBigInt64(
    offset,
    BigInt(Math.floor(microseconds / MICROSECONDS)),
    true,
  );
  view.setBigInt64(offset + 8, BigInt(microseconds % MICROSECONDS), true);
}

function decode(view: DataView): IntervalTimerValue {
  const { it_value, it_interval } = ITIMERVAL.fields;
  const seconds = (offset: number) =>
    (Number(view.getBigInt64(offset, true)) * MICROSECONDS +
      Number(view.getBigInt64(offset + 8, true))) / MICROSECONDS;
  return { value: seconds(it_value), interval: seconds(it_interval) };
}
