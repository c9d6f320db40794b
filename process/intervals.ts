import { onForkedChild } from "../ffi/_after_fork.ts";
import { checkAbortSignal, checkNumber } from "../ffi/_arguments.ts";
import { POLLIN } from "../ffi/constants.ts";
import { ITIMERSPEC } from "../ffi/layouts.ts";
import { checkValue, checkZero } from "../ffi/_results.ts";
import {
  CLOCK_MONOTONIC,
  TFD_CLOEXEC,
  TFD_NONBLOCK,
} from "../ffi/signal_constants.ts";
import { descriptorSymbols, timerSymbols } from "../ffi/_symbols.ts";
import type { Verdict, Watched } from "../wait/_watched.ts";
import { lookSoon, referencesChanged, watch } from "../wait/_watcher.ts";

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
