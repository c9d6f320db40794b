import { onForkedChild } from "../../ffi/_after_fork.ts";
import { checkNumber } from "../../ffi/_arguments.ts";
import { stopTimer, type Timer } from "../../ffi/_deno_core.ts";
import { checkErrorNumber, checkValue } from "../../ffi/_libc.ts";
import { type FutexWait, futexWait, futexWaitAsync } from "../../ffi/_locks.ts";
import { mappingOf } from "../../ffi/_memory.ts";
import { mutexSymbols, queueSymbols } from "../../ffi/_symbols.ts";
import { SYS_futex } from "../../ffi/constants.ts";
import { ERRNO } from "../../ffi/errors.ts";
import { BELL, LOCK, SLOT_BYTES, SLOTS } from "./segment.ts";

/** When to stop waiting, by `performance.now()`; 0 for at once. */
export function deadlineOf(
  options: { timeout?: number } | undefined,
): number {
  const timeout = options?.timeout;
  if (timeout === undefined || timeout === Infinity) return Infinity;
  if (!(checkNumber(timeout, "options.timeout") >= 0)) {
    throw new RangeError(
      `'options.timeout' must not be negative, nor NaN: current value is ${timeout}`,
    );
  }
  return timeout === 0 ? 0 : performance.now() + timeout;
}

/** Whether it is time to stop. To ask the clock takes a tenth of a microsecond, which is spared where there is no end. */
export function isOver(deadline: number): boolean {
  return deadline === 0 ||
    deadline !== Infinity && performance.now() >= deadline;
}

const FUTEX_WAKE_OP = 5;
/** `FUTEX_OP(FUTEX_OP_ADD, 1, FUTEX_OP_CMP_EQ, 0)`: adds 1 to the word. */
const ADD_ONE = 0x1000_1000;
const ALL = 0x7fff_ffff;
const SYS = BigInt(SYS_futex);

/** How often a lock that is taken is asked for before the thread goes to sleep. */
const LOCK_TRIES = 40;

/** How long a lock is waited for by those who do not want to wait: nobody holds it for longer, but who is stopped. */
const LEAST_PATIENCE_MS = 100;

/** How long to look at the bell before going to sleep, in milliseconds: the least is about what a sleep costs. */
const LEAST_LOOK_MS = 0.002;
const MOST_LOOK_MS = 0.04;
/** From when on each look gives the processor away first: whoever is to strike the bell may be waiting for it. */
const YIELDING_MS = 0.001;
/** So many looks are less than the time takes to ask for. */
const LOOKS_AT_ONCE = 4;
/** After so many looks in vain, one after the other, there are only the least ones. One sleep of somebody's makes for another. */
const LOOKS_IN_VAIN = 4;
/** Every so many sleeps, it is found out anew whether to look for long pays. */
const SLEEPS_BEFORE_RETRY = 64;

/**
 * One side of a queue: what producers, or consumers, have done so far, and how others learn of it.
 *
 * Whoever changes it holds its lock, a robust mutex: that of a process that was killed goes over to the next one. There is
 * nothing to repair then. The state is in two slots, of which the bell says which one counts: the new state is written to the
 * other one, and is there as soon as the bell is struck, with one instruction. A process that is killed before has changed
 * nothing, and one that is killed afterwards has changed all.
 *
 * The bell is a word that counts those strokes in steps of two. Its lowest bit says that somebody sleeps. Where it is set,
 * the bell is struck by the kernel, which changes the word and wakes all sleepers in one go (`FUTEX_WAKE_OP`), so that no
 * process can be killed in between; where it is not, there is nobody to wake. Since all are woken, it does not matter either
 * if one of them is killed before it has done anything.
 */
export class Side {
  /** Bytes of the ring that were filled, or emptied, since ever; modulo 2³², as are the others. */
  position = 0;
  /** Items that were put, or got; or tasks that are done. */
  count = 0;
  /** Units for large items that were filled, or emptied. */
  large = 0;
  /** 1 once the queue is closed. */
  closed = 0;
  /**
   * Whether the state above may be older than what is known of the other side by more than all that the ring holds, so that
   * the difference of two positions says nothing: see {@linkcode refresh}.
   */
  outdated = false;
  /** The other side of the same ring. */
  other: Side | undefined;
  /** Which stroke of the bell the state above belongs to. */
  #stroke = -1;
  readonly #words: Int32Array;
  readonly #lock: bigint;
  readonly #lockWord: number;
  readonly #bell: number;
  readonly #slots: number;
  /** Looks in vain, and so sleeps, since one was not. */
  #sleeps = 0;
  readonly #trylock = mutexSymbols().pthread_mutex_trylock;
  readonly #unlock = mutexSymbols().pthread_mutex_unlock;

  /** The side that begins at that many bytes of a mapping. */
  constructor(words: Int32Array, start: number) {
    this.#words = words;
    this.#lock = mappingOf(words.buffer).address + BigInt(start + LOCK);
    this.#lockWord = (start + LOCK) >> 2;
    this.#bell = (start + BELL) >> 2;
    this.#slots = (start + SLOTS) >> 2;
  }

  /** Takes the lock if that is possible at once, or almost, and the state with it. */
  tryLock(): boolean {
    for (let tries = 0; tries < LOCK_TRIES; tries++) {
      if (tries > 0 && Atomics.load(this.#words, this.#lockWord) !== 0) {
        continue;
      }
      const result = this.#trylock(this.#lock);
      if (result === 0) {
        this.refresh();
        return true;
      }
      if (result !== ERRNO.EBUSY) {
        this.#taken(result);
        return true;
      }
    }
    return false;
  }

  /**
   * Takes the lock, and the state with it; waits until then, given as `performance.now()`, and at least for as long as any
   * holder takes that is not stopped. Gives false if that was in vain.
   */
  lock(deadline: number): boolean {
    if (this.tryLock()) return true;
    if (deadline === Infinity) {
      this.#taken(queueSymbols().pthread_mutex_lock(this.#lock));
      return true;
    }
    // The clock of this function is that of the day.
    const left = Math.max(LEAST_PATIENCE_MS, deadline - performance.now());
    const until = Date.now() + left;
    const time = BigInt64Array.of(
      BigInt(Math.floor(until / 1000)),
      BigInt(Math.floor((until % 1000) * 1e6)),
    );
    const result = queueSymbols().pthread_mutex_timedlock(this.#lock, time);
    if (result === ERRNO.ETIMEDOUT) return false;
    this.#taken(result);
    return true;
  }

  #taken(result: number): void {
    if (result === ERRNO.EOWNERDEAD) {
      result = mutexSymbols().pthread_mutex_consistent(this.#lock);
    }
    checkErrorNumber(
      result,
      "pthread_mutex_lock",
      () => "Cannot lock the queue",
    );
    this.refresh();
  }

  /** Gives the lock back. */
  unlock(): void {
    this.#unlock(this.#lock);
  }

  /** Sees what the state is by now; without the lock it may change right away. */
  refresh(): void {
    for (;;) {
      const stroke = Atomics.load(this.#words, this.#bell) & ~1;
      if (stroke === this.#stroke) break;
      const slot = this.#slot(stroke);
      const position = Atomics.load(this.#words, slot);
      const count = Atomics.load(this.#words, slot + 1);
      const large = Atomics.load(this.#words, slot + 2);
      const closed = Atomics.load(this.#words, slot + 3);
      // Whoever has changed the slot meanwhile had to strike the bell before.
      if ((Atomics.load(this.#words, this.#bell) & ~1) !== stroke) continue;
      this.position = position;
      this.count = count;
      this.large = large;
      this.closed = closed;
      this.#stroke = stroke;
      // Whatever was known of the other side is from before. It may have gone round since then.
      if (this.other !== undefined) this.other.outdated = true;
      break;
    }
    this.outdated = false;
  }

  /** Makes a new state known, and wakes those who wait for one. For the holder of the lock. */
  publish(
    position: number,
    count: number,
    large: number,
    closed: number,
  ): void {
    const stroke = this.#stroke;
    const next = (stroke + 2) | 0;
    const slot = this.#slot(next);
    // Nobody believes the slot before the bell is struck, which is atomic and puts all this before itself.
    this.#words[slot] = position;
    this.#words[slot + 1] = count;
    this.#words[slot + 2] = large;
    this.#words[slot + 3] = closed;
    if (
      Atomics.compareExchange(this.#words, this.#bell, stroke, next) !== stroke
    ) {
      this.#strikeAndWake();
    }
    this.position = position;
    this.count = count;
    this.large = large;
    this.closed = closed;
    this.#stroke = next;
  }

  #slot(stroke: number): number {
    return this.#slots + ((stroke >> 1) & 1) * (SLOT_BYTES >> 2);
  }

  #strikeAndWake(): void {
    const address = this.#lock + BigInt(BELL - LOCK);
    checkValue(
      queueSymbols()
        .futex_wake_op(SYS, address, FUTEX_WAKE_OP, ALL, 0n, address, ADD_ONE),
      "futex",
      () => "Cannot wake those who wait for the queue",
    );
  }

  /** Waits until the state is another one than that last seen, or until then. It may also come back for nothing. */
  wait(deadline: number): void {
    const stroke = this.#stroke;
    if (this.#look()) return;
    if (!this.#sayWaiting(stroke)) return;
    const left = deadline === Infinity
      ? Infinity
      : deadline - performance.now();
    if (left > 0) futexWait(this.#words, this.#bell, stroke | 1, left);
  }

  /** The same on a thread of the pool; `null` if the state is another one already. */
  waitAsync(): FutexWait | null {
    const stroke = this.#stroke;
    if (!this.#sayWaiting(stroke)) return null;
    return futexWaitAsync(this.#words, this.#bell, stroke | 1);
  }

  /** Whether the state last seen is still the state. */
  get current(): boolean {
    return (Atomics.load(this.#words, this.#bell) & ~1) === this.#stroke;
  }

  #sayWaiting(stroke: number): boolean {
    const found = Atomics
      .compareExchange(this.#words, this.#bell, stroke, stroke | 1);
    return (found & ~1) === stroke;
  }

  /**
   * Looks for a while whether the state changes: where the other one is at work, that is much faster than to sleep. Where it
   * is not, or can only work once this one sleeps, it is in vain, and soon done for a moment only.
   */
  #look(): boolean {
    const patience =
      this.#sleeps < LOOKS_IN_VAIN || this.#sleeps % SLEEPS_BEFORE_RETRY === 0
        ? MOST_LOOK_MS
        : LEAST_LOOK_MS;
    const { sched_yield } = queueSymbols();
    const start = performance.now();
    let looked = 0;
    // Asking for the time is a pause, too: each look takes the bell away from the processor that is to strike it.
    do {
      if (looked > YIELDING_MS) sched_yield();
      for (let looks = 0; looks < LOOKS_AT_ONCE; looks++) {
        if (this.current) continue;
        this.#sleeps = 0;
        return true;
      }
      looked = performance.now() - start;
    } while (looked < patience);
    this.#sleeps++;
    return false;
  }
}

/** What became of a try: it is over, one way or the other; there is nothing yet; or another process was at it. */
export type Verdict = "done" | "nothing" | "busy";

/** One who waits. */
interface Waiter {
  /** Tries it; must not throw. */
  attempt(): Verdict;
  /** Called when it will never be. */
  fail(error: unknown): void;
}

/** How long to let another process be that holds the lock, in milliseconds. */
const BUSY_MS = 1;

/**
 * Those of this process who wait for one side of a queue without blocking, in the order in which they came. However many
 * they are, they take one thread of Deno's pool.
 */
export class Line {
  readonly #side: Side;
  readonly #waiters = new Set<Waiter>();
  #wait: FutexWait | undefined;
  /** The waits whose threads are not back yet, those that were called off included. */
  readonly #out = new Set<Promise<unknown>>();
  #timer: Timer | undefined;

  constructor(side: Side) {
    this.#side = side;
  }

  /** Whether nobody waits, so that a newcomer may try at once. */
  get free(): boolean {
    return this.#waiters.size === 0;
  }

  add(waiter: Waiter): void {
    this.#waiters.add(waiter);
    if (this.#waiters.size > 1) return;
    register(this);
    this.#serve();
  }

  /** Lets one go who does not want to wait any longer. */
  remove(waiter: Waiter): void {
    if (this.#waiters.delete(waiter) && this.#waiters.size === 0) this.#rest();
  }

  /** Tells all that it will never be. */
  end(error: unknown): void {
    const waiters = [...this.#waiters];
    this.#waiters.clear();
    this.#rest();
    for (const waiter of waiters) waiter.fail(error);
  }

  /** Resolves when no thread sleeps here any more; `undefined` if none does. */
  settled(): Promise<unknown> | undefined {
    return this.#out.size === 0 ? undefined : Promise.all(this.#out);
  }

  /** In a forked child: those who wait are the parent's. */
  forget(): void {
    this.#waiters.clear();
    stopTimer(this.#timer);
    this.#wait = undefined;
    this.#timer = undefined;
    this.#out.clear();
  }

  /** Lets all try who can, then waits for the state to change. */
  #serve(): void {
    try {
      while (this.#waiters.size > 0) {
        const verdict = this.#tryInTurn();
        if (verdict === "busy") {
          this.#timer = setTimeout(() => {
            this.#timer = undefined;
            this.#serve();
          }, BUSY_MS);
          return;
        }
        if (verdict === "nothing" && this.#sleep()) return;
      }
    } catch (error) {
      this.end(error);
      return;
    }
    this.#rest();
  }

  #tryInTurn(): Verdict {
    for (const waiter of this.#waiters) {
      const verdict = waiter.attempt();
      if (verdict !== "done") return verdict;
      this.#waiters.delete(waiter);
    }
    return "done";
  }

  /** Sleeps until the state changes; gives false if it has already. */
  #sleep(): boolean {
    const wait = this.#side.waitAsync();
    if (wait === null) return false;
    this.#wait = wait;
    const back = wait.outcome.then(() => {
      this.#out.delete(back);
      this.#unregister();
      // One that was called off may come back when the next is under way.
      if (this.#wait !== wait) return;
      this.#wait = undefined;
      this.#serve();
    });
    this.#out.add(back);
    return true;
  }

  #unregister(): void {
    if (this.#waiters.size === 0 && this.#out.size === 0) lines.delete(this);
  }

  #rest(): void {
    this.#unregister();
    stopTimer(this.#timer);
    this.#timer = undefined;
    const wait = this.#wait;
    this.#wait = undefined;
    wait?.cancel();
  }
}

/** The lines in which somebody waits, or a thread is not back yet. */
const lines = new Set<Line>();
let registered = false;

function register(line: Line): void {
  lines.add(line);
  if (registered) return;
  onForkedChild(() => {
    for (const line of lines) line.forget();
    lines.clear();
  });
  registered = true;
}
