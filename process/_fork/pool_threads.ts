import { SYS_futex } from "../../ffi/constants.ts";
import { addressOf } from "../../ffi/_c_strings.ts";
import { forkSymbols, futexWaitOnPool } from "../../ffi/_symbols.ts";
import { refOp, unrefOp, unrefOpsUpTo } from "../../ffi/_deno_core.ts";
import type { Thread } from "./thread.ts";

const FUTEX_WAIT_PRIVATE = 128;
const FUTEX_WAKE_PRIVATE = 129;

const WAIT = 1;
const GO = 0;

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
  readonly #calls = new Set<Promise<number>>();
  #address = 0;
  #ours = new Set<number>();
  #foreign = new Set<number>();

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
    }
  }

  /** Remembers which threads have taken a call, and, if one of them was born for it, which can then not be ours. */
  learn(threads: Iterable<Thread>, before: ReadonlySet<number>): void {
    const all = [...threads];
    let born = false;
    for (const thread of all) {
      if (!this.isParked(thread)) continue;
      this.#ours.add(thread.tid);
      if (!before.has(thread.tid)) born = true;
    }
    if (!born) return;
    for (const thread of all) {
      if (this.isIdle(thread) && !this.#ours.has(thread.tid)) {
        this.#foreign.add(thread.tid);
      }
    }
  }

  /** Forgets threads that have ended: their numbers may come back. */
  forgetEnded(alive: ReadonlySet<number>): void {
    this.#ours = this.#ours.intersection(alive);
    this.#foreign = this.#foreign.intersection(alive);
  }

  /** Lets the parked threads go back to work. */
  release(): void {
    Atomics.store(this.#word, 0, GO);
    forkSymbols().futex_wake(
      BigInt(SYS_futex),
      this.#word,
      FUTEX_WAKE_PRIVATE,
      0x7fff_ffff,
    );
  }

  /** Resolves once every thread that was parked has come back. */
  async settled(): Promise<void> {
    for (const call of this.#calls) refOp(call);
    await Promise.all(this.#calls);
  }

  /**
   * In the child: forgets the parent's threads, and has nothing that the parent was waiting for keep the child alive: it will
   * never come. Calls are numbered, and the latest one is ours, or one is made to be.
   */
  forget(): void {
    let latest = [...this.#calls].at(-1);
    if (latest === undefined) {
      this.occupy(1);
      this.release();
      latest = [...this.#calls].at(-1)!;
    }
    unrefOpsUpTo(latest);
    this.#calls.clear();
    this.#ours.clear();
    this.#foreign.clear();
  }
}

/** The one pool of this thread's runtime. */
export const poolThreads: PoolThreads = new PoolThreads();
