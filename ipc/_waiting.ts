import { checkTimeout } from "../ffi/_arguments.ts";
import { onForkedChild } from "../ffi/_after_fork.ts";
import { stopTimer, type Timer } from "../ffi/_deno_core.ts";
import { ERRNO, type PosixError } from "../ffi/errors.ts";
import {
  type FutexWait,
  futexWait,
  futexWaitAsync,
  futexWake,
} from "../ffi/_locks.ts";
import { errorFor } from "../ffi/_libc.ts";
import type { SharedPlace } from "./_shared_place.ts";

/** Options for waiting that blocks the thread. */
export interface WaitOptions {
  /**
   * The longest to wait, in milliseconds; 0 to look without waiting.
   *
   * @default Infinity
   */
  timeout?: number;
}

/** Options for waiting that does not block the event loop. */
export interface WaitAsyncOptions extends WaitOptions {
  /** Ends the waiting: the promise is rejected with its reason. */
  signal?: AbortSignal;
}

/**
 * Something that is waited for, as a word of shared memory tells.
 *
 * Nobody sleeps longer than a slice without looking again: whoever was woken may be killed before he can make use of it, and so
 * the next one is never lost to him, only late.
 */
export interface Waiting<T> {
  readonly place: SharedPlace;
  /** Which word to sleep on. */
  readonly index: number;
  /** Takes what is waited for; `undefined` if it is not there. Throws where the place is closed. */
  attempt(): T | undefined;
  /** Says that somebody is about to sleep, and gives the value of the word to sleep on; `undefined` if it is better to try again. */
  mark(): number | undefined;
}

/** How long anybody sleeps before looking again, in milliseconds. */
const SLICE_MS = 200;

/** Blocks the thread until there is what is waited for; `undefined` if the time is over. */
export function waitBlocking<T>(
  waiting: Waiting<T>,
  timeout: number,
): T | undefined {
  let result = waiting.attempt();
  if (result !== undefined || timeout === 0) return result;
  const deadline = performance.now() + timeout;
  for (;;) {
    const expected = waiting.mark();
    if (expected !== undefined) {
      const left = deadline - performance.now();
      if (left > 0) {
        const time = Math.min(left, SLICE_MS);
        futexWait(waiting.place.words, waiting.index, expected, time);
      }
    }
    result = waiting.attempt();
    if (result !== undefined) return result;
    if (performance.now() >= deadline) {
      passOn(waiting);
      return undefined;
    }
  }
}

/** Whoever stops waiting may have been woken at that very moment: the next one is then to know. */
function passOn(waiting: Waiting<unknown>): void {
  if (!waiting.place.stale) futexWake(waiting.place.words, waiting.index, 1);
}

/**
 * Those of one process who wait for the same without blocking it, in line: only the first takes a thread of Deno's pool.
 */
export class WaitingLine {
  readonly #line: Waiter[] = [];

  /** Resolves when there is what is waited for; with `undefined` if the time is over. */
  async wait<T>(
    waiting: Waiting<T>,
    timeout: number,
    signal?: AbortSignal,
  ): Promise<T | undefined> {
    signal?.throwIfAborted();
    if (this.#line.length === 0) {
      const result = waiting.attempt();
      if (result !== undefined || timeout === 0) return result;
    }
    const waiter = new Waiter(performance.now() + timeout);
    const abort = () => waiter.interrupt();
    signal?.addEventListener("abort", abort);
    this.#join(waiter);
    try {
      return await this.#serve(waiter, waiting, signal);
    } finally {
      signal?.removeEventListener("abort", abort);
      this.#leave(waiter);
    }
  }

  /** Has everybody look again soon: what is waited for is about to be closed. */
  interrupt(): void {
    for (const waiter of this.#line) waiter.interrupt();
  }

  /** In a forked child: forgets those who wait in the parent. */
  abandon(): void {
    for (const waiter of this.#line) waiter.abandon();
    this.#line.length = 0;
  }

  async #serve<T>(
    waiter: Waiter,
    waiting: Waiting<T>,
    signal: AbortSignal | undefined,
  ): Promise<T | undefined> {
    let result: T | undefined;
    let slept = false;
    try {
      for (;;) {
        signal?.throwIfAborted();
        const first = this.#line[0] === waiter;
        if (first || waiting.place.closed) {
          result = waiting.attempt();
          if (result !== undefined) return result;
        }
        if (waiter.left <= 0) return undefined;
        if (!first) await waiter.turn();
        else {
          const expected = waiting.mark();
          if (expected === undefined) continue;
          slept = true;
          await waiter.sleep(waiting, expected);
        }
      }
    } finally {
      if (slept && result === undefined) passOn(waiting);
    }
  }

  #join(waiter: Waiter): void {
    if (!registered) {
      onForkedChild(() => {
        for (const line of lines) line.abandon();
        lines.clear();
      });
      registered = true;
    }
    lines.add(this);
    this.#line.push(waiter);
  }

  #leave(waiter: Waiter): void {
    const index = this.#line.indexOf(waiter);
    if (index === -1) return;
    this.#line.splice(index, 1);
    if (this.#line.length === 0) lines.delete(this);
    else if (index === 0) this.#line[0]!.interrupt();
  }
}

/** The lines in which somebody waits. */
const lines = new Set<WaitingLine>();
let registered = false;

/** One who waits in line. */
class Waiter {
  readonly #deadline: number;
  #sleep: FutexWait | undefined;
  #timer: Timer | undefined;
  #wake: (() => void) | undefined;

  constructor(deadline: number) {
    this.#deadline = deadline;
  }

  /** How many milliseconds there are left. */
  get left(): number {
    return this.#deadline - performance.now();
  }

  /** Waits to be interrupted, for as long as there is time. */
  async turn(): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#wake = resolve;
    if (this.#deadline !== Infinity) {
      this.#timer = setTimeout(resolve, Math.min(this.left, TIMER_MAX));
    }
    await promise;
    this.#wake = undefined;
    stopTimer(this.#timer);
  }

  /** Sleeps until the word is woken, for a slice or as long as there is time. */
  async sleep(waiting: Waiting<unknown>, expected: number): Promise<void> {
    const { place, index } = waiting;
    const time = Math.min(this.left, SLICE_MS);
    this.#sleep = futexWaitAsync(place.words, index, expected, time);
    try {
      await this.#sleep.outcome;
    } catch (error) {
      // The memory was closed or mapped anew: the next attempt says so.
      if (!place.stale) throw error;
    } finally {
      this.#sleep = undefined;
    }
  }

  /** Has it look at once. */
  interrupt(): void {
    this.#wake?.();
    this.#sleep?.cancel();
  }

  /** In a forked child: it is the parent who waits. */
  abandon(): void {
    stopTimer(this.#timer);
  }
}

/** The longest that a timer can wait, in milliseconds. */
const TIMER_MAX = 0x7fff_ffff;

/** The timeout of the options, in milliseconds. */
export function timeoutOf({ timeout = Infinity }: WaitOptions): number {
  return checkTimeout(timeout, "options.timeout");
}

/** The error for time that is over. */
export function timedOut(
  action: string,
  syscall: string,
  timeout: number,
): PosixError {
  return errorFor(
    ERRNO.ETIMEDOUT,
    syscall,
    () => `Cannot ${action} within ${timeout} ms`,
  );
}
