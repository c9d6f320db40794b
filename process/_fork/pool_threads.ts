import { generation } from "../../ffi/_after_fork.ts";
import { addressOf } from "../../ffi/_arguments.ts";
import {
  AT_ONCE,
  PendingOps,
  pendingOps,
  refOp,
  unrefOp,
} from "../../ffi/_deno_core.ts";
import { beforePoolCall } from "../../ffi/_libc.ts";
import { forkSymbols, futexWaitOnPool } from "../../ffi/_symbols.ts";
import { O_RDONLY, O_RDWR, SYS_futex } from "../../ffi/constants.ts";
import { type Mapping, mappings, OwnMemory } from "./proc_file.ts";
import { LOOKS_AT_ONCE, PAUSE_MICROSECONDS, Thread } from "./thread.ts";

/** How many threads Deno's pool has at most. */
const CAP = 32;

/** From how many threads on, those of the ancestors included, it matters that a child's pool takes them for its own. */
const MANY = 12;

/** How often to look for the words before it is given up: it takes some 20 ms. */
const ATTEMPTS = 3;

/** What the main thread of glibc's `malloc` lives on, or other threads do: 64 MiB at most, and as much apart. */
const ARENA = 64n << 20n;

/** The words: cap, threads, idle threads, tasks that wait. Each takes eight bytes, of which four are always 0: two words of four. */
const WIDTH = 8;

/**
 * Tokio's own count of its pool's threads, which a forked child takes over though it has none of them.
 *
 * A pool makes no more than 32 threads, so the child of a parent that has as many would never do anything on its pool, nor
 * would the eighth generation of a family in which each has but four. The count stands in memory between the cap and the
 * number of idle threads. It is told from whatever else looks like it by its change: before the threads are parked some
 * are idle, afterwards none. What is not found beyond doubt is left alone, and then the pool is what it was.
 */
export class PoolCount {
  /** Where the words are, once they are found. */
  address: bigint | undefined;
  #candidates: bigint[] = [];
  #attempts = 0;
  /** The threads of ancestors, which the pool still counts. */
  #gone = 0;
  #present = 0;
  /** Whether it has been set to none in this process; and of which one that is said. */
  #isReset = false;
  #generation = generation;

  /** In the parent, with the pool's threads at rest and some of them idle: looks for the words, if it matters. */
  survey(threads: number): void {
    this.#catchUp();
    if (this.address !== undefined || this.#candidates.length > 0) return;
    if (threads + this.#gone < MANY || this.#attempts >= ATTEMPTS) return;
    this.#attempts++;
    withMemory(O_RDONLY, (memory) => {
      for (const heap of mappings().filter(isHeap)) this.#scan(memory, heap);
    });
  }

  /** Whether a pool with that many threads makes no more of them. */
  isFull(threads: number): boolean {
    return threads >= CAP;
  }

  /** In the parent, with none of them idle any more: sees which of the words have changed accordingly. */
  confirm(threads: number): void {
    this.#catchUp();
    this.#present = threads;
    if (this.#candidates.length === 0) return;
    withMemory(O_RDONLY, (memory) => {
      const found = this.#candidates.filter((address) =>
        isIdleFree(memory, address)
      );
      if (found.length === 1) this.address = found[0];
    });
    this.#candidates = [];
  }

  /** In the child, where the words are known: has its pool count none. */
  reset(): void {
    const { address } = this;
    if (address === undefined) return;
    withMemory(O_RDWR, (memory) => {
      this.#isReset = isIdleFree(memory, address) &&
        memory.write(NONE, address + 8n);
    });
  }

  /** In the child, before it forks itself: takes its parent's threads for those of an ancestor. */
  #catchUp(): void {
    if (this.#generation === generation) return;
    this.#generation = generation;
    this.#gone = this.#isReset ? 0 : this.#gone + this.#present;
    this.#isReset = false;
    this.#candidates = [];
  }

  #scan(memory: OwnMemory, heap: Mapping): void {
    memory.scan(heap, WIDTH, (words, length, address) => {
      for (let at = 0; at < length; at += 2) {
        if (words[at] === CAP && isCount(words, at, 1)) {
          this.#candidates.push(address + BigInt(at * 4));
        }
      }
    });
  }
}

const found = new Uint32Array(new ArrayBuffer(WIDTH * 4));
const foundBytes = new Uint8Array(found.buffer);
const NONE = new Uint8Array(new ArrayBuffer(8));

/** Whether the words are there at an offset: no task waits, and at least that many threads are idle. */
function isCount(words: Uint32Array, at: number, idle: number): boolean {
  for (let odd = 1; odd < WIDTH; odd += 2) {
    if (words[at + odd] !== 0) return false;
  }
  const threads = words[at + 2]!;
  return words[at] === CAP && threads >= 1 && threads <= CAP &&
    words[at + 6] === 0 && words[at + 4]! >= idle &&
    words[at + 4]! <= (idle === 0 ? 0 : threads);
}

/** Whether the words are at an address, with no thread idle. */
function isIdleFree(memory: OwnMemory, address: bigint): boolean {
  return memory.read(foundBytes, address) && isCount(found, 0, 0);
}

/** Where `malloc` keeps things: lies within writable mappings without a file. */
function isHeap({ start, end, permissions, inode, name }: Mapping): boolean {
  return permissions === "rw-p" && inode === 0 &&
    (name === "[heap]" ||
      name === "" && start % ARENA === 0n && end - start <= ARENA);
}

/** Does something with the memory of this process; nothing where that cannot be opened. */
function withMemory(flags: number, action: (memory: OwnMemory) => void): void {
  let memory;
  try {
    memory = new OwnMemory(flags);
  } catch {
    return;
  }
  try {
    action(memory);
  } finally {
    memory.close();
  }
}

/** The one of this thread's runtime. */
export const poolCount: PoolCount = new PoolCount();

const FUTEX_WAIT_PRIVATE = 128;
const FUTEX_WAKE_PRIVATE = 129;

const WAIT = 1;
const GO = 0;

/** How many threads at most stay parked until the end of any turn, and after how many forks in one more of them do. */
const FEW = 8;
const MANY_FORKS = 8;

/** How often at most to look whether a released thread is idle, some 20 ms. */
const LOOKS_AFTER = 200;

/** What is known of threads that bear the name of the pool's, by their ids. */
class KnownThreads {
  ours = new Set<number>();
  foreign = new Set<number>();
  parked = new Set<number>();
}

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
export class PoolThreads {
  readonly #word = new Int32Array(new ArrayBuffer(4));
  #address = 0;
  #calls = new Set<Promise<number>>();
  #known = new KnownThreads();
  /** What a child has instead of those two, made beforehand: in the child it would take longer. */
  #childs: { calls: Set<Promise<number>>; known: KnownThreads } | undefined;
  /** How many forks there have been in this turn of the event loop. */
  #forks = 0;
  /** Whether it was noted, right before a fork, what is pending. */
  #noted = false;
  readonly #ops: PendingOps;
  readonly #endTurn = (): void => {
    this.#forks = 0;
    this.release();
  };

  constructor(ops: PendingOps) {
    this.#ops = ops;
  }

  /** One without threads, to whom what happens in a child can happen in a rehearsal. */
  static standIn(): PoolThreads {
    const threads = new PoolThreads(new PendingOps());
    threads.#prepareChild();
    threads.#noted = true;
    return threads;
  }

  /** Whether the thread sits in our wait. */
  isParked(thread: Thread): boolean {
    return thread.asleep && thread.syscall === SYS_futex &&
      thread.arguments[0] === this.#address;
  }

  /** Whether the thread is an idle one of our pool, as far as is known. */
  isIdle(thread: Thread): boolean {
    return thread.kind === "pool" && thread.onTimedFutex &&
      !this.#known.foreign.has(thread.tid);
  }

  /** Whether the thread is known to take our calls. */
  isOurs(thread: Thread): boolean {
    return this.#known.ours.has(thread.tid);
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
      if (i === count - 1) this.#ops.survey(call);
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
      this.#known.ours.add(thread.tid);
      this.#known.parked.add(thread.tid);
      if (!before.has(thread.tid)) born = true;
    }
    if (!born) return;
    for (const thread of idle) {
      if (this.isIdle(thread) && !this.#known.ours.has(thread.tid)) {
        this.#known.foreign.add(thread.tid);
      }
    }
  }

  /**
   * Remembers that those are another pool's: ours has as many threads as it may, and all are parked. A call to find that out would
   * be taken by nobody, and a child's pool that takes itself for full would wait with that call for ever.
   */
  disown(idle: readonly Thread[]): void {
    for (const { tid } of idle) this.#known.foreign.add(tid);
  }

  /** Forgets threads that have ended: their numbers may come back. */
  forgetEnded(alive: ReadonlySet<number>): void {
    this.#known.ours = this.#known.ours.intersection(alive);
    this.#known.foreign = this.#known.foreign.intersection(alive);
  }

  /**
   * In the parent: has the parked threads let go before anybody could miss them. What comes next in this turn of the event loop may
   * be another fork, for which they would be parked again: both ways cost as much as the fork of a small process.
   *
   * A call that the program itself gives to the pool before then brings forth a thread more. So many are only kept where it seems to do
   * nothing but fork: they are as many a while after the start of a program whose modules had to be compiled.
   */
  releaseSoon(): void {
    if (++this.#forks === 1) AT_ONCE.then(this.#endTurn);
    if (this.#forks < MANY_FORKS && this.#known.parked.size > FEW) {
      this.release();
    }
  }

  /**
   * Lets the parked threads go back to work, and waits until they are idle again. Whatever needs a thread next, this library's
   * own waiting for instance, would otherwise find none and have one more made: a pool has 32 at most, and in a child those of
   * the parent count.
   */
  release(): void {
    if (this.#calls.size === 0) return;
    this.#wake();
    const parked = this.#known.parked;
    this.#known.parked = new Set();
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
    // Calls are numbered, and the one of this turn tells which there are.
    this.#noted = this.#known.parked.size > 0;
    if (this.#noted) this.#ops.note();
    this.#prepareChild();
  }

  #prepareChild(): void {
    this.#childs ??= { calls: new Set(), known: new KnownThreads() };
  }

  /** In the child, before its pool is given the first call: forgets the parent's threads, and all that the parent was waiting for. */
  abandon(): void {
    const { calls, known } = this.#childs!;
    this.#calls = calls;
    this.#known = known;
    this.#childs = undefined;
    if (!this.#noted) this.#noteByCall();
    this.#ops.abandonSoon();
  }

  /** Where there is no such call, one more tells. */
  #noteByCall(): void {
    this.occupy(1);
    this.#wake();
    this.#ops.note();
    this.#calls.clear();
  }
}

/** The one pool of this thread's runtime. */
export const poolThreads: PoolThreads = new PoolThreads(pendingOps);

beforePoolCall.run = () => poolThreads.release();
