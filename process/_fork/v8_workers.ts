import {
  CallList,
  CallOutput,
  type CallResult,
  symbolAddresses,
} from "../../ffi/_call_list.ts";
import { ARCHITECTURE } from "../../ffi/_libc.ts";
import { memorySymbols } from "../../ffi/_symbols.ts";
import {
  listProc,
  type Mapping,
  mappings,
  OwnMemory,
  readProc,
} from "./proc_file.ts";

/** What V8's workers are called in the objects that stand for them: "V8 DefaultWorke", cut at 15 characters. */
const NAME = Uint32Array.of(0x44203856, 0x75616665, 0x6f57746c, 0x00656b72);

/** `v8::base::Thread`, and what V8's worker threads add to it, in words of eight bytes. */
const THREAD = { handle: 1, name: 2, runner: 6, wake: 7, words: 7 } as const;

const WORD = 8;

/** The workers' task runner: its lock, in words. */
const RUNNER = { lock: 2, words: 9 } as const;

/** How locks and condition variables are made: what they take, in bytes. */
interface Making {
  readonly lock: number;
  readonly wake: number;
}

/** Those of Abseil, in which whoever waits is remembered. */
const ABSEIL: Making = { lock: 8, wake: 8 };

/** Those of `pthread.h`, in older versions. */
const GLIBC: Making = { lock: ARCHITECTURE === "aarch64" ? 48 : 40, wake: 48 };

/** In glibc's, where the kind of a lock is, and the flags of a condition variable, below the count of those who wait. */
const LOCK_KIND = 16;
const WAKE_FLAGS = 36;
const WAKE_FLAGS_MASK = 0b111;

/** How long a child is given to end before its workers are started, in microseconds. */
const DELAY = 1000;

/** No address of user space is as high, on either architecture. */
const ADDRESS_END = 1n << 48n;

/** A worker thread of V8's, as it is found in memory. */
interface Worker {
  /** The object that stands for it, which is also the argument that its first function is called with. */
  readonly object: bigint;
  /** Where the object keeps the `pthread_t`. */
  readonly handle: bigint;
  /** The thread's first function. */
  readonly start: bigint;
  /** The condition variable on which it waits for work. */
  readonly wake: bigint;
  /** The lock that goes with that. */
  readonly lock: bigint;
  readonly making: Making;
}

/**
 * The threads on which V8 optimises hot code, collects garbage and compiles WebAssembly, while the program runs on.
 *
 * A fork leaves them behind, and V8 goes on giving them work: nothing in the child would ever be optimised that was not so
 * before, which makes it ten times slower, and in versions before Deno 2.8 a collection would wait for ever. So the child starts
 * them anew, the way V8 has: the same function with the same object. All of them wait for work at the moment of the fork,
 * so nothing is lost. The objects are found once, in the memory of `malloc`, and only where all that they consist of is what it
 * should be: the name, a live thread that has the object for its argument, a function in executable memory, a runner
 * that lists such objects. In any other case they are left alone.
 */
class V8Workers {
  #workers: readonly Worker[] | undefined;
  /** What a child's first thread runs, which starts the others. */
  readonly #start = new CallList();
  #started: CallResult | undefined;
  /** Whether this process has them; with all of V8 on one thread there are none, and none are missed. */
  complete = true;

  /** Before a fork: finds them, the first time. */
  find(): void {
    if (this.#workers !== undefined || !this.complete) return;
    const tids = new Set(listProc("/proc/self/task").filter(isWorker));
    const found = tids.size > 0 ? new Search(tids).workers : [];
    this.complete = found.length === tids.size;
    if (!this.complete) return;
    this.#workers = found;
    if (found.length === 0) return;
    this.#planStart(found);
    leaveStack();
  }

  #planStart(workers: readonly Worker[]): void {
    const { pthread_create, pthread_detach, pthread_self, usleep } =
      symbolAddresses();
    this.#start.call(pthread_detach, this.#start.call(pthread_self));
    this.#start.call(usleep, DELAY);
    for (const { object, handle, start } of workers) {
      this.#start.call(pthread_create, handle, 0, start, object);
    }
  }

  /**
   * In the child, by calls of the list, on its only thread, with signals blocked, which is how the workers get to have them blocked
   * as well. One thread starts them, a moment later: work for them can wait so long, and many a child ends before. To start a
   * thread, and to end it, takes some 100 µs, and V8 has one for each further processor.
   */
  restart(list: CallList): void {
    const { memcpy } = symbolAddresses();
    const workers = this.#workers ?? [];
    for (const worker of workers) {
      const { lock, wake, freshLock, freshWake } = asNew(worker);
      list.call(memcpy, lock, freshLock, freshLock.length);
      list.call(memcpy, wake, freshWake, freshWake.length);
    }
    this.#started = undefined;
    if (workers.length === 0) return;
    this.#started = startThread(list, this.#start);
  }

  /** In the child, after that: sees whether they will be there. */
  finish(list: CallList): void {
    if (this.#started === undefined || list.result(this.#started) === 0) return;
    this.complete = false;
    this.#workers = undefined;
  }
}

/** What a thread does that only ends. */
const NOTHING = new CallList();

/** The handle of the thread that was started last. */
const latestThread = new Uint8Array(new ArrayBuffer(WORD));

/** By a call of the list: starts a thread that makes the calls of another list, which is not to change any more. */
function startThread(list: CallList, body: CallList): CallResult {
  const { start, argument } = body.forThread();
  return list.call(
    symbolAddresses().pthread_create,
    latestThread,
    0,
    start,
    argument,
  );
}

/**
 * Has two threads start and end, one after the other. glibc keeps the stack of the first, and the second gets it; so in each child
 * there is one at hand, and what it takes to use it has been called before. That saves half of the time that the thread takes there.
 */
function leaveStack(): void {
  const { pthread_join } = symbolAddresses();
  const list = new CallList();
  for (let thread = 0; thread < 2; thread++) {
    startThread(list, NOTHING);
    list.call(pthread_join, new CallOutput(latestThread), 0);
  }
  list.run();
}

/**
 * The lock and the condition variable of a worker as they are where nobody has ever waited. Those who did are no more in a child;
 * and the thread that has forked may have woken one since, for work that has come up, to whom the lock is then promised for ever.
 */
function asNew({ lock, wake, making }: Worker): {
  lock: bigint;
  wake: bigint;
  freshLock: Uint8Array<ArrayBuffer>;
  freshWake: Uint8Array<ArrayBuffer>;
} {
  const { memcpy } = memorySymbols();
  const freshLock = new Uint8Array(new ArrayBuffer(making.lock));
  const freshWake = new Uint8Array(new ArrayBuffer(making.wake));
  if (making === GLIBC) {
    const old = new Uint8Array(4);
    memcpy(old, lock + BigInt(LOCK_KIND), 4n);
    freshLock.set(old, LOCK_KIND);
    memcpy(old, wake + BigInt(WAKE_FLAGS), 4n);
    freshWake[WAKE_FLAGS] = old[0]! & WAKE_FLAGS_MASK;
  }
  return { lock, wake, freshLock, freshWake };
}

function isWorker(tid: number): boolean {
  return readProc(`/proc/self/task/${tid}/comm`).startsWith("V8 ");
}

/** One look through memory. */
class Search {
  readonly workers: Worker[] = [];
  readonly #mappings: readonly Mapping[] = mappings();
  readonly #memory = new OwnMemory();
  readonly #tids: ReadonlySet<number>;
  /** Of a `struct pthread`: how many words it takes, and which one the thread's id is in the lower half of. */
  readonly #pthread = this.#pthreadLayout();

  constructor(tids: ReadonlySet<number>) {
    this.#tids = tids;
    for (const mapping of this.#mappings) {
      if (mapping.name === "[heap]") this.#scan(mapping);
    }
    this.#memory.close();
  }

  #scan(heap: Mapping): void {
    this.#memory.scan(heap, NAME.length, (words, length, address) => {
      for (let at = -1;;) {
        at = words.indexOf(NAME[0]!, at + 1);
        if (at === -1 || at >= length) break;
        // What malloc gives lies at multiples of 16 bytes, and so does the name in the object.
        if (at % 4 !== 0 || words[at + 1] !== NAME[1]) continue;
        if (words[at + 2] !== NAME[2] || words[at + 3] !== NAME[3]) continue;
        const name = address + BigInt(at * 4);
        const worker = this.#worker(name - BigInt(THREAD.name * WORD));
        if (worker !== undefined) this.workers.push(worker);
      }
    });
  }

  /** The worker whose object is at an address, if all about it is right. */
  #worker(object: bigint): Worker | undefined {
    const thread = this.#words(object, THREAD.words);
    const handle = thread?.[THREAD.handle];
    const runner = thread?.[THREAD.runner];
    const pthread = this.#words(
      this.#words(handle, 1)?.[0],
      this.#pthread.words,
    );
    const making = this.#making(runner);
    if (!handle || !runner || !pthread || !making) return undefined;
    const tid = Number(pthread[this.#pthread.tid]! & 0xffff_ffffn);
    const start = pthread[pthread.indexOf(object) - 1];
    if (!this.#tids.has(tid) || !this.#isExecutable(start)) return undefined;
    const wake = object + BigInt(THREAD.wake * WORD);
    const lock = runner + BigInt(RUNNER.lock * WORD);
    return { object, handle, start: start!, wake, lock, making };
  }

  /** What glibc tells debuggers of it, which is different on each architecture and may be so in each version. */
  #pthreadLayout(): { words: number; tid: number } {
    const { _thread_db_sizeof_pthread, _thread_db_pthread_tid } =
      symbolAddresses();
    const [size, tid] = [new Uint32Array(1), new Uint32Array(3)];
    this.#memory.read(new Uint8Array(size.buffer), _thread_db_sizeof_pthread);
    this.#memory.read(new Uint8Array(tid.buffer), _thread_db_pthread_tid);
    return { words: size[0]! / WORD, tid: tid[2]! / WORD };
  }

  #making(runner: bigint | undefined): Making | undefined {
    const words = this.#words(runner, RUNNER.words);
    return [ABSEIL, GLIBC].find(({ lock }) => {
      // The list of idle threads follows on the lock.
      const list = RUNNER.lock + lock / WORD;
      // An idle thread has the runner in turn; one that was called up is still there, past the list's end.
      const idle = this.#words(words?.[list], 1)?.[0];
      return this.#words(idle, THREAD.words)?.[THREAD.runner] === runner;
    });
  }

  #isExecutable(address: bigint | undefined): boolean {
    return address !== undefined &&
      this.#mappings.some(({ start, end, permissions }) =>
        address >= start && address < end && permissions.includes("x")
      );
  }

  #words(
    address: bigint | undefined,
    count: number,
  ): BigUint64Array<ArrayBuffer> | undefined {
    if (address === undefined || address >= ADDRESS_END) return undefined;
    const words = new BigUint64Array(new ArrayBuffer(count * WORD));
    const bytes = new Uint8Array(words.buffer);
    return this.#memory.read(bytes, address) ? words : undefined;
  }
}

/** Those of this process. */
export const v8Workers: V8Workers = new V8Workers();
