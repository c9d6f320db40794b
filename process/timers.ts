import { onForkedChild } from "../ffi/_after_fork.ts";
import {
  checkAbortSignal,
  checkInteger,
  checkName,
  checkNumber,
} from "../ffi/_arguments.ts";
import { checkValue, checkZero } from "../ffi/_libc.ts";
import {
  descriptorSymbols,
  signalSymbols,
  timerSymbols,
} from "../ffi/_symbols.ts";
import {
  CLOCK_MONOTONIC,
  ITIMER_PROF,
  ITIMER_REAL,
  ITIMER_VIRTUAL,
  POLLIN,
  TFD_CLOEXEC,
  TFD_NONBLOCK,
} from "../ffi/constants.ts";
import { ITIMERSPEC, ITIMERVAL } from "../ffi/layouts.ts";
import type { Verdict, Watched } from "../wait/_watched.ts";
import { lookSoon, referencesChanged, watch } from "../wait/_watcher.ts";

/**
 * `alarm(seconds)`: has SIGALRM sent to the process after a number of seconds, which ends it unless it is caught.
 *
 * There is one alarm a process: a new one replaces the old. It survives `exec`; a forked child has none.
 *
 * @param seconds The delay; 0 takes the alarm back.
 * @returns The seconds that were left of the former alarm, to the nearest but at least 1; 0 if there was none.
 * @throws {RangeError} If `seconds` is no integer from 0 to 4,294,967,295.
 *
 * @example Replacing an alarm, then taking it back
 * ```ts
 * import { alarm } from "@posix/process/process";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(alarm(100), 0);
 * assertEquals(alarm(200), 100);
 * assertEquals(alarm(0), 200);
 * ```
 *
 * @see {@link https://man7.org/linux/man-pages/man2/alarm.2.html | alarm(2)}
 */
export function alarm(seconds: number): number {
  checkInteger(seconds, "seconds", 0, 0xffffffff);
  return signalSymbols().alarm(seconds);
}

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

/** The longest interval: what a 32-bit number of milliseconds holds, as for Deno's own timers. */
const MILLISECONDS_MAX = 0x7fff_ffff;

const NANOSECONDS = 1_000_000_000n;

/** Options for {@linkcode intervals}. */
export interface IntervalsOptions {
  /**
   * Ends the iteration with an error, the signal's reason.
   *
   * @default {undefined}
   */
  signal?: AbortSignal;
}

/** What {@linkcode intervals} gives: for each tick, how many were missed just before it. */
export interface IntervalStream
  extends AsyncIterableIterator<number, undefined>, AsyncDisposable {
  /** The next tick. Waiting for it keeps the process alive. */
  next(): Promise<IteratorResult<number, undefined>>;
  /** Ends the iteration. Twice without harm. Leaving a `for await` loop calls it. */
  return(): Promise<IteratorReturnResult<undefined>>;
  /** The same, without waiting until all is released. */
  [Symbol.dispose](): void;
  /** Itself. */
  [Symbol.asyncIterator](): IntervalStream;
}

/**
 * `timerfd_settime(fd, 0, &interval, NULL)`: a tick in exact intervals, as an asynchronous iteration.
 *
 * The kernel keeps the time: each tick is due a whole number of intervals after the start, however late the ones before were
 * taken, and those that nobody took in time are counted. (`setInterval` counts from when the callback was called, and drifts.)
 * It needs no signal, and there can be as many as wanted. Waiting for the next tick keeps the process alive. In a forked child
 * it goes on likewise, by a timer of the child's own.
 *
 * @param milliseconds The interval, in milliseconds and fractions of them, above 0; exact to a nanosecond.
 * @param options Options for ending it.
 * @returns For each tick the number of those missed just before: 0 if all goes well.
 * @throws {PosixError} `EMFILE` if there is no descriptor free.
 * @throws {TypeError} If `milliseconds` is not a number, or `options.signal` no `AbortSignal`.
 * @throws {RangeError} If `milliseconds` is not above 0, or above 2,147,483,647.
 *
 * @example A tick every 5 ms
 * ```ts
 * import { intervals } from "@posix/process/process";
 * import { assert } from "@std/assert";
 *
 * const start = performance.now();
 * let ticks = 0;
 * for await (const missed of intervals(5)) {
 *   ticks += 1 + missed;
 *   if (ticks >= 4) break;
 * }
 * assert(performance.now() - start >= 20 - 1);
 * ```
 *
 * @see {@link https://man7.org/linux/man-pages/man2/timerfd_create.2.html | timerfd_create(2)}
 */
export function intervals(
  milliseconds: number,
  options: IntervalsOptions = {},
): IntervalStream {
  checkNumber(milliseconds, "milliseconds");
  if (!(milliseconds > 0 && milliseconds <= MILLISECONDS_MAX)) {
    throw new RangeError(
      `'milliseconds' must be above 0 and at most ${MILLISECONDS_MAX}: current value is ${milliseconds}`,
    );
  }
  const { signal } = options;
  checkAbortSignal(signal);
  signal?.throwIfAborted();
  const nanoseconds = BigInt(Math.max(1, Math.round(milliseconds * 1e6)));
  return new Ticks(nanoseconds, signal);
}

type Next = PromiseWithResolvers<IteratorResult<number, undefined>>;

const action = () => "Cannot make ticks";

class Ticks implements IntervalStream, Watched {
  readonly fd: number;
  readonly events = POLLIN;
  readonly #signal: AbortSignal | undefined;
  readonly #abort = () => void this.#end({ error: this.#signal!.reason });
  readonly #waiting: Next[] = [];
  #inherited = 0;
  #watched = false;
  #closed = false;
  #ending: PromiseWithResolvers<void> | undefined;
  #failure: { error: unknown } | undefined;

  constructor(nanoseconds: bigint, signal: AbortSignal | undefined) {
    this.#signal = signal;
    this.fd = newTimer();
    const times = new DataView(new ArrayBuffer(ITIMERSPEC.size));
    for (const at of Object.values(ITIMERSPEC.fields)) {
      times.setBigInt64(at, nanoseconds / NANOSECONDS, true);
      times.setBigInt64(at + 8, nanoseconds % NANOSECONDS, true);
    }
    setTimer(this.fd, times);
    running.add(this);
    if (!registered) onForkedChild(renewAll);
    registered = true;
    signal?.addEventListener("abort", this.#abort);
  }

  async next(): Promise<IteratorResult<number, undefined>> {
    if (this.#ending !== undefined) {
      await this.#ending.promise;
      const failure = this.#failure;
      this.#failure = undefined;
      if (failure !== undefined) throw failure.error;
      return { done: true, value: undefined };
    }
    const missed = this.#waiting.length === 0 ? this.#read() : undefined;
    if (missed !== undefined) return { done: false, value: missed };
    this.#watch();
    const waiting: Next = Promise.withResolvers();
    this.#waiting.push(waiting);
    referencesChanged();
    return await waiting.promise;
  }

  async return(): Promise<IteratorReturnResult<undefined>> {
    await this.#end(undefined);
    return { done: true, value: undefined };
  }

  [Symbol.dispose](): void {
    void this.return();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.return();
  }

  [Symbol.asyncIterator](): IntervalStream {
    return this;
  }

  // As one that is watched:

  get referenced(): boolean {
    return this.#ending !== undefined ||
      this.#waiting.length > this.#inherited;
  }

  look(ready: boolean): Verdict {
    if (this.#ending !== undefined) return "done";
    const missed = ready ? this.#read() : undefined;
    if (missed !== undefined) {
      this.#inherited = Math.max(0, this.#inherited - 1);
      this.#waiting.shift()?.resolve({ done: false, value: missed });
    }
    // Where nobody waits, the timer itself keeps count.
    return this.#waiting.length > 0 ? "watch" : "done";
  }

  fail(error: unknown): void {
    void this.#end({ error });
  }

  release(): void {
    this.#watched = false;
    if (this.#ending !== undefined) this.#close();
  }

  settle(): void {
    if (this.#ending === undefined || this.#watched) return;
    const [first, ...rest] = this.#waiting.splice(0);
    const failure = this.#failure;
    if (failure !== undefined && first !== undefined) {
      this.#failure = undefined;
      first.reject(failure.error);
    } else first?.resolve({ done: true, value: undefined });
    for (const { resolve } of rest) resolve({ done: true, value: undefined });
    this.#ending.resolve();
  }

  /** In a forked child: a timer of its own under the same number, due when the parent's is. */
  renew(): void {
    const times = new DataView(new ArrayBuffer(ITIMERSPEC.size));
    checkZero(
      timerSymbols().timerfd_gettime(this.fd, times),
      "timerfd_gettime",
      action,
    );
    const { it_value } = ITIMERSPEC.fields;
    const left = times.getBigInt64(it_value, true) +
      times.getBigInt64(it_value + 8, true);
    // A tick that is due this very moment has nothing left; a timer set to that would never tick.
    if (left === 0n) times.setBigInt64(it_value + 8, 1n, true);
    const timer = newTimer();
    setTimer(timer, times);
    const libc = descriptorSymbols();
    checkValue(libc.dup3(timer, this.fd, TFD_CLOEXEC), "dup3", action);
    libc.close(timer);
    this.#inherited = this.#waiting.length;
    if (this.#inherited === 0) return;
    // Once the watcher, too, has forgotten what was the parent's.
    queueMicrotask(() => this.#watch());
  }

  #watch(): void {
    if (this.#watched) return;
    watch(this);
    this.#watched = true;
  }

  /** How many ticks were missed before the latest; `undefined` where none has come since the last look. */
  #read(): number | undefined {
    const count = new BigUint64Array(1);
    if (descriptorSymbols().read(this.fd, count, 8n) !== 8) return undefined;
    return Number(count[0]!) - 1;
  }

  async #end(failure: { error: unknown } | undefined): Promise<void> {
    if (this.#ending === undefined) {
      this.#ending = Promise.withResolvers();
      this.#failure = failure;
      this.#signal?.removeEventListener("abort", this.#abort);
      running.delete(this);
      if (this.#watched) {
        referencesChanged();
        lookSoon();
      } else {
        this.#close();
        this.settle();
      }
    }
    await this.#ending.promise;
  }

  #close(): void {
    if (this.#closed) return;
    this.#closed = true;
    descriptorSymbols().close(this.fd);
  }
}

const running = new Set<Ticks>();
let registered = false;

function renewAll(): void {
  for (const ticks of running) ticks.renew();
}

function newTimer(): number {
  return checkValue(
    timerSymbols().timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK),
    "timerfd_create",
    action,
  );
}

function setTimer(fd: number, times: DataView<ArrayBuffer>): void {
  checkZero(
    timerSymbols().timerfd_settime(fd, 0, times, null),
    "timerfd_settime",
    action,
  );
}
