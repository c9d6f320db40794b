import { checkInteger } from "../ffi/_arguments.ts";
import { futexWake } from "../ffi/_locks.ts";
import { SharedPlace, type SharedPlacement } from "./_shared_place.ts";
import {
  timedOut,
  timeoutOf,
  type WaitAsyncOptions,
  waitBlocking,
  type Waiting,
  WaitingLine,
  type WaitOptions,
} from "./_waiting.ts";

const BYTES = 64;
const ALL = 0x7fff_ffff;

/**
 * All there is to know is in one word, so that each change is whole, whoever is killed when: how many have arrived (12 bits),
 * whether the barrier is broken (1), which of the last eight rounds were broken (8), and the number of the round (11).
 */
const STATE = 0;
const PARTIES = 1;
const PARTIES_MAX = 0xfff;
const BROKEN = 1 << 12;
const HISTORY_SHIFT = 13;
const HISTORY_MASK = 0xff;
const ROUND_SHIFT = 21;
const ROUND_MASK = 0x7ff;

/**
 * Thrown by {@linkcode Barrier.prototype.wait | Barrier.wait} where not all will come: somebody has waited too long, or
 * said so by {@linkcode Barrier.prototype.abort | Barrier.abort}.
 *
 * @example Coming too late
 * ```ts
 * import { Barrier, BarrierBroken } from "@posix/process/ipc";
 * import { assertRejects } from "@std/assert";
 *
 * using barrier = new Barrier(2);
 * barrier.abort();
 * await assertRejects(() => barrier.waitAsync(), BarrierBroken);
 * ```
 *
 * @see {@link https://docs.python.org/3/library/threading.html#threading.BrokenBarrierError | threading.BrokenBarrierError}
 */
export class BarrierBroken extends Error {
  /** The class's name. */
  override readonly name = "BarrierBroken";

  /** Makes the error. */
  constructor() {
    super("Cannot wait at the barrier: it is broken");
  }
}

/**
 * `pthread_barrier_t`, shared by processes: nobody passes before all have arrived.
 *
 * Made without memory, it is shared with the processes that are forked from then on. Made in a {@linkcode SharedMemory}, it is the
 * same barrier for all who make one at that offset.
 *
 * A process that is killed before it arrives is one that never comes: give the others a timeout. When it is over, the
 * barrier is broken for all, as in Python, until {@linkcode Barrier.prototype.reset | Barrier.reset}. One that is
 * killed after it has arrived counts as arrived.
 *
 * @example Both or none
 * ```ts
 * import { Barrier } from "@posix/process/ipc";
 * import { _exit, fork } from "@posix/process/process";
 * import { waitpid } from "@posix/process/wait";
 * import { assertEquals } from "@std/assert";
 *
 * using barrier = new Barrier(2);
 * const pid = fork();
 * const place = barrier.wait();
 * if (pid === 0) _exit(place);
 * assertEquals(waitpid(pid)?.status, { kind: "exited", code: 1 - place });
 * ```
 *
 * @see {@link https://man7.org/linux/man-pages/man3/pthread_barrier_wait.3p.html | pthread_barrier_wait(3p)}
 * @see {@link https://docs.python.org/3/library/threading.html#barrier-objects | threading.Barrier}
 */
export class Barrier implements Disposable {
  /** How many bytes it takes in memory. */
  static readonly BYTES: number = BYTES;

  /** How many have to arrive. */
  readonly parties: number;
  readonly #place: SharedPlace;
  readonly #line = new WaitingLine();

  /**
   * Makes the barrier, or finds it where it was made before.
   *
   * @param parties How many have to arrive: from 1 to 4095, and the same for all who make it.
   * @param placement The memory in which it lies, if not its own.
   */
  constructor(parties: number, placement: SharedPlacement = {}) {
    this.parties = checkInteger(parties, "parties", 1, PARTIES_MAX);
    this.#place = new SharedPlace("barrier", BYTES, placement);
    const found = Atomics
      .compareExchange(this.#place.words, PARTIES, 0, parties);
    if (found !== 0 && found !== parties) {
      this.#place.close();
      throw new RangeError(
        `'parties' must be ${found}, as the barrier was made: current value is ${parties}`,
      );
    }
  }

  /** How many have arrived and wait. Throws a `TypeError` if it is closed. */
  get waiting(): number {
    return this.#state("look at") & PARTIES_MAX;
  }

  /** Whether it is broken. Throws a `TypeError` if it is closed. */
  get broken(): boolean {
    return (this.#state("look at") & BROKEN) !== 0;
  }

  /**
   * `pthread_barrier_wait(barrier)`: arrives, and waits until all have.
   *
   * Blocks the thread, event loop included; see {@linkcode Barrier.prototype.waitAsync | Barrier.waitAsync} for the
   * version that does not.
   *
   * @param options How long to wait. If that is not enough, the barrier is broken.
   * @returns The order of arrival, from 0 to `parties` − 1: each gets another number.
   * @throws {BarrierBroken} If it is broken, or gets broken or reset meanwhile.
   * @throws {PosixError} `ETIMEDOUT` if the time is over.
   * @throws {RangeError} If the timeout is negative or `NaN`.
   * @throws {TypeError} If it is closed.
   *
   * @example One that does not come
   * ```ts
   * import { Barrier } from "@posix/process/ipc";
   * import { assert, assertThrows } from "@std/assert";
   *
   * using barrier = new Barrier(2);
   * assertThrows(() => barrier.wait({ timeout: 5 }), Error, "ETIMEDOUT");
   * assert(barrier.broken);
   * ```
   */
  wait(options: WaitOptions = {}): number {
    const timeout = timeoutOf(options);
    const [place, round] = this.#arrive();
    if (!this.#passed(round) && !waitBlocking(this.#waiting(round), timeout)) {
      this.#giveUp(round, timeout);
    }
    return place;
  }

  /**
   * `pthread_barrier_wait(barrier)` without blocking the event loop: arrives at once, and waits until all have.
   *
   * Those of this process who wait take one thread of Deno's pool together. A promise that is pending when the process forks does
   * not settle in the child.
   *
   * @param options How long to wait, and what ends it before. Either way, the barrier is then broken.
   * @returns The order of arrival, from 0 to `parties` − 1.
   * @throws {BarrierBroken} If it is broken, or gets broken or reset meanwhile.
   * @throws {PosixError} `ETIMEDOUT` if the time is over.
   * @throws {RangeError} If the timeout is negative or `NaN`.
   * @throws {TypeError} If it is closed, or gets closed meanwhile.
   *
   * @example Three tasks of one process
   * ```ts
   * import { Barrier } from "@posix/process/ipc";
   * import { assertEquals } from "@std/assert";
   *
   * using barrier = new Barrier(3);
   * const task = () => barrier.waitAsync({ timeout: 5000 });
   * assertEquals(await Promise.all([task(), task(), task()]), [0, 1, 2]);
   * ```
   */
  async waitAsync(options: WaitAsyncOptions = {}): Promise<number> {
    const timeout = timeoutOf(options);
    options.signal?.throwIfAborted();
    const [place, round] = this.#arrive();
    if (this.#passed(round)) return place;
    let passed: true | undefined;
    try {
      passed = await this.#line
        .wait(this.#waiting(round), timeout, options.signal);
    } catch (error) {
      if (options.signal?.aborted && !this.#place.closed) this.#break(round);
      throw error;
    }
    if (!passed) this.#giveUp(round, timeout);
    return place;
  }

  /**
   * Breaks the barrier: all who wait, and all who come, get {@linkcode BarrierBroken}, until
   * {@linkcode Barrier.prototype.reset | Barrier.reset}.
   *
   * @throws {TypeError} If it is closed.
   *
   * @example Not all will come
   * ```ts
   * import { Barrier, BarrierBroken } from "@posix/process/ipc";
   * import { assertThrows } from "@std/assert";
   *
   * using barrier = new Barrier(2);
   * barrier.abort();
   * assertThrows(() => barrier.wait(), BarrierBroken);
   * ```
   */
  abort(): void {
    this.#break(undefined);
  }

  /**
   * Makes the barrier as new; those who still wait get {@linkcode BarrierBroken}.
   *
   * @throws {TypeError} If it is closed.
   *
   * @example After a failure
   * ```ts
   * import { Barrier } from "@posix/process/ipc";
   * import { assertEquals } from "@std/assert";
   *
   * using barrier = new Barrier(1);
   * barrier.abort();
   * barrier.reset();
   * assertEquals(barrier.wait(), 0);
   * ```
   */
  reset(): void {
    this.#change(
      "reset",
      (state) =>
        (state & PARTIES_MAX) === 0
          ? state & ~BROKEN
          : nextRound(state, true) & ~BROKEN,
    );
  }

  /**
   * Ends the use of the barrier in this process; twice without harm. Others go on with it.
   *
   * @throws {PosixError} If its memory cannot be unmapped, which does not happen to memory that was mapped here.
   *
   * @example Using it afterwards
   * ```ts
   * import { Barrier } from "@posix/process/ipc";
   * import { assertThrows } from "@std/assert";
   *
   * const barrier = new Barrier(1);
   * barrier.close();
   * assertThrows(() => barrier.wait(), TypeError, "it is closed");
   * ```
   */
  close(): void {
    this.#line.interrupt();
    this.#place.close();
  }

  /** Closes the barrier. */
  [Symbol.dispose](): void {
    this.close();
  }

  #state(action: string): number {
    if (this.#place.stale) this.#place.renew(action);
    return Atomics.load(this.#place.words, STATE);
  }

  /** Counts this one in; gives its place, and the round in which it has arrived. */
  #arrive(): [place: number, round: number] {
    const before = this.#change("wait at", (state) => {
      if ((state & BROKEN) !== 0) throw new BarrierBroken();
      const last = (state & PARTIES_MAX) + 1 === this.parties;
      return last ? nextRound(state, false) : state + 1;
    });
    return [before & PARTIES_MAX, roundOf(before)];
  }

  /** Whether the round is over; throws if it was broken. */
  #passed(round: number): boolean {
    const state = this.#state("wait at");
    const since = (roundOf(state) - round) & ROUND_MASK;
    if (since === 0) return false;
    const history = (state >>> HISTORY_SHIFT) & HISTORY_MASK;
    if (((history >> (since - 1)) & 1) === 1) throw new BarrierBroken();
    return true;
  }

  #waiting(round: number): Waiting<true> {
    return {
      place: this.#place,
      index: STATE,
      attempt: () => this.#passed(round) || undefined,
      mark: () => {
        const state = this.#state("wait at");
        return roundOf(state) === round ? state : undefined;
      },
    };
  }

  /** Breaks the barrier for want of time, unless all have come at the last moment. */
  #giveUp(round: number, timeout: number): void {
    const before = this.#break(round);
    if (roundOf(before) !== round && this.#passed(round)) return;
    throw timedOut("wait at the barrier", "pthread_barrier_wait", timeout);
  }

  /** Breaks the barrier; if a round is given, only while that lasts. */
  #break(round: number | undefined): number {
    return this.#change("abort", (state) => {
      if (round !== undefined && roundOf(state) !== round) return state;
      return (state & PARTIES_MAX) === 0
        ? state | BROKEN
        : nextRound(state, true);
    });
  }

  /** Changes the state, wakes those for whom a round is over, and gives the state before. */
  #change(action: string, next: (state: number) => number): number {
    let before = this.#state(action);
    const { words } = this.#place;
    for (;;) {
      const after = next(before) | 0;
      const found = Atomics.compareExchange(words, STATE, before, after);
      if (found === before) {
        if (roundOf(after) !== roundOf(before)) futexWake(words, STATE, ALL);
        return before;
      }
      before = found;
    }
  }
}

function roundOf(state: number): number {
  return (state >>> ROUND_SHIFT) & ROUND_MASK;
}

/** The state when a round is over: nobody has arrived, and whether it was broken is remembered. */
function nextRound(state: number, broken: boolean): number {
  const round = (roundOf(state) + 1) & ROUND_MASK;
  const history = (state >>> HISTORY_SHIFT << 1 | Number(broken)) &
    HISTORY_MASK;
  return round << ROUND_SHIFT | history << HISTORY_SHIFT |
    (broken ? BROKEN : 0);
}
