import { rehearsing } from "../../ffi/_after_fork.ts";
import { SYS_futex } from "../../ffi/constants.ts";
import { addressOf } from "../../ffi/_c_strings.ts";
import { forkSymbols, futexWaitOnPool } from "../../ffi/_symbols.ts";
import { pendingOps, refOp, unrefOp } from "../../ffi/_deno_core.ts";
import { beforePoolCall } from "../../ffi/_lazy_symbols.ts";
import { LOOKS_AT_ONCE, PAUSE_MICROSECONDS, Thread } from "./thread.ts";

const FUTEX_WAIT_PRIVATE = 128;
const FUTEX_WAKE_PRIVATE = 129;

const WAIT = 1;
const GO = 0;

/** How many threads at most stay parked until the end of the turn. */
const FEW = 8;

/** How often at most to look whether a released thread is idle, some 20 ms. */
const LOOKS_AFTER = 200;

/**
 * The threads of Deno's pool for blocking work, parked for the time of a fork.
 *
 * An idle one waits on a condition variable of the pool. In a forked child nobody is there to be woken, so the first
 * blocking task would be handed to a dead thread and lost. Hence every idle thread is given something to do that is not
 * over when the fork happens: it waits on this futex. The child's pool then has no idle thread, and starts new ones.
 *
 * Where there are several runtimes (`deno test`, workers) their threads bear the same name, and another pool's never
 * take a call of ours. Ours are those that have once been seen in it; when a call brings forth a new thread, no idle one
 * of ours was left, and the idle ones still unknown are foreign. Both are remembered, or each fork would add a thread.
 */
class PoolThreads {
  readonly #word = new Int32Array(new ArrayBuffer(4));
  #calls = new Set<Promise<number>>();
  /** The latest of them, where it is of this turn of the event loop. */
  #latest: Promise<number> | undefined;
  #address = 0;
  #ours = new Set<number>();
  #foreign = new Set<number>();
  #parked = new Set<number>();

  /** Whether the thread sits in our wait. */
  isParked(thread: Thread): boolean {
    return thread.asleep && thread.syscall === SYS_futex &&
      thread.arguments[0] === this.#address;
  }

  /** Whether the thread is an idle one of our pool, as far as is known. */
  isIdle(thread: Thread): boolean {
    return thread.kind === "pool" && thread.onTimedFutex &&
      !this.#foreign.has(thread.tid);
  }

  /** Whether the thread is known to take our calls. */
  isOurs(thread: Thread): boolean {
    return this.#ours.has(thread.tid);
  }

  /** Gives the pool that many things to do that last until {@linkcode release}. */
  occupy(count: number): void {
    this.#address ||= Number(addressOf(this.#word.buffer));
    Atomics.store(this.#word, 0, WAIT);
    for (let i = 0; i < count; i++) {
      const call = futexWaitOnPool(
        BigInt(SYS_futex),
        this.#word,
        FUTEX_WAIT_PRIVATE,
        WAIT,
        0n,
      );
      unrefOp(call);
      this.#calls.add(call);
      call.then(() => this.#calls.delete(call));
      if (i === count - 1) pendingOps.survey(call);
    }
  }

  /**
   * Remembers which threads have taken a call, and, if one of them was born for it, which can then not be ours: those that were
   * idle before, and are so still.
   */
  learn(
    threads: Iterable<Thread>,
    before: ReadonlySet<number>,
    idle: readonly Thread[],
  ): void {
    let born = false;
    for (const thread of threads) {
      if (!this.isParked(thread)) continue;
      this.#ours.add(thread.tid);
      this.#parked.add(thread.tid);
      if (!before.has(thread.tid)) born = true;
    }
    if (!born) return;
    for (const thread of idle) {
      if (this.isIdle(thread) && !this.#ours.has(thread.tid)) {
        this.#foreign.add(thread.tid);
      }
    }
  }

  /**
   * Remembers that those are another pool's: ours has as many threads as it may, and all are parked. A call to find that out would
   * be taken by nobody, and a child's pool that takes itself for full would wait with that call for ever.
   */
  disown(idle: readonly Thread[]): void {
    for (const { tid } of idle) this.#foreign.add(tid);
  }

  /** Forgets threads that have ended: their numbers may come back. */
  forgetEnded(alive: ReadonlySet<number>): void {
    this.#ours = this.#ours.intersection(alive);
    this.#foreign = this.#foreign.intersection(alive);
  }

  /**
   * In the parent: has the parked threads let go before anybody could miss them. What comes next in this turn of the event loop may
   * be another fork, for which they would be parked again: both ways cost as much as the fork of a small process.
   *
   * A call that the program itself gives to the pool before then brings forth a thread more, so only few are kept.
   */
  releaseSoon(): void {
    if (this.#parked.size > FEW) this.release();
    else queueMicrotask(() => this.release());
  }

  /**
   * Lets the parked threads go back to work, and waits until they are idle again. Whatever needs a thread next, this library's
   * own waiting for instance, would otherwise find none and have one more made: a pool has 32 at most, and in a child those of
   * the parent count.
   */
  release(): void {
    if (this.#calls.size === 0) return;
    this.#wake();
    const parked = this.#parked;
    this.#parked = new Set();
    for (const tid of parked) this.#watch(tid);
  }

  #wake(): void {
    Atomics.store(this.#word, 0, GO);
    forkSymbols().futex_wake(
      BigInt(SYS_futex),
      this.#word,
      FUTEX_WAKE_PRIVATE,
      0x7fff_ffff,
    );
  }

  #watch(tid: number): void {
    let thread;
    try {
      thread = new Thread(tid);
    } catch {
      // No descriptor is free. It gets there unwatched, too.
      return;
    }
    for (let looks = 0; looks < LOOKS_AFTER; looks++) {
      thread.look();
      if (thread.asleep && !this.isParked(thread)) break;
      if (looks >= LOOKS_AT_ONCE) forkSymbols().usleep(PAUSE_MICROSECONDS);
    }
    thread.close();
  }

  /** Resolves once every thread that was parked has come back. */
  async settled(): Promise<void> {
    this.release();
    for (const call of this.#calls) refOp(call);
    await Promise.all(this.#calls);
  }

  /** In the parent, right before a fork: notes what is pending, none of which will ever come in the child. */
  notePending(): void {
    this.#latest = this.#parked.size > 0 ? [...this.#calls].at(-1) : undefined;
    if (this.#latest !== undefined) pendingOps.note(this.#latest);
  }

  /** In the child, before its pool is given the first call: forgets the parent's threads, and all that the parent was waiting for. */
  abandon(): void {
    if (rehearsing) return pendingOps.abandonSoon();
    this.#calls = new Set();
    this.#ours = new Set();
    this.#foreign = new Set();
    this.#parked = new Set();
    if (this.#latest === undefined) this.#noteByCall();
    pendingOps.abandonSoon();
  }

  /** Calls are numbered, and so one more tells which there are. */
  #noteByCall(): void {
    this.occupy(1);
    this.#wake();
    pendingOps.note([...this.#calls].at(-1)!);
    this.#calls.clear();
  }
}

/** The one pool of this thread's runtime. */
export const poolThreads: PoolThreads = new PoolThreads();

beforePoolCall.run = () => poolThreads.release();
