import {
  type CallList,
  callMemory,
  type CallResult,
  symbolAddresses,
} from "../../ffi/_call_list.ts";
import { ARCHITECTURE } from "../../ffi/_libc.ts";
import { memorySymbols } from "../../ffi/_symbols.ts";
import { SIGSET } from "../../ffi/layouts.ts";
import { FirstCall, VIRTUAL_FUNCTIONS } from "./first_call.ts";
import {
  listProc,
  type Mapping,
  mappings,
  OwnMemory,
  readProc,
} from "./proc_file.ts";
import { blockSignals, unblockSignals } from "./signal_masks.ts";

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

/** No address of user space is as high, on either architecture. */
const ADDRESS_END = 1n << 48n;

/** What hands out the work to V8's worker threads. */
interface Runner {
  readonly object: bigint;
  /** Where its list of idle threads begins, and ends: where these addresses are kept. */
  readonly idle: { readonly start: bigint; readonly end: bigint };
}

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
  /** What hands out the work. */
  readonly runner: Runner;
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
  /** Where they are started when V8 has the first task for them. */
  #firstTask: FirstCall | undefined;
  /** Where that cannot be told: the calls that start them in the child. */
  #started: readonly CallResult[] = [];
  /** Whether this process has them; with all of V8 on one thread there are none, and none are missed. */
  complete = true;

  /** Before a fork: finds them, the first time. */
  find(): void {
    if (this.#workers !== undefined || !this.complete) return;
    const tids = new Set(listProc("/proc/self/task").filter(isWorker));
    const { workers: found, table } = tids.size > 0
      ? new Search(tids)
      : { workers: [], table: undefined };
    this.complete = found.length === tids.size;
    if (!this.complete) return;
    this.#workers = found;
    if (table === undefined) return;
    const runners = [...runnersOf(found).keys()];
    const objects = runners.map(({ object }) => object);
    const firstTask = new FirstCall(objects, table, (list, room) => {
      const { size } = SIGSET;
      const masks = { all: room, former: room + BigInt(size) };
      list.call(symbolAddresses().memset, masks.all, 0xff, size);
      blockSignals(list, masks);
      startThreads(list, found);
      unblockSignals(list, masks);
    });
    if (firstTask.comesWith(giveTask)) this.#firstTask = firstTask;
  }

  /** Whether the latest list starts them itself. */
  get startAtOnce(): boolean {
    return this.#started.length > 0;
  }

  /** Whether a child has them only from the first task on. */
  get waitForTask(): boolean {
    return this.#firstTask !== undefined;
  }

  /**
   * In the child, by calls of the list, on its only thread, with signals blocked, which is how the workers get to have them blocked
   * as well. If possible they are started only when there is something for them to do: many a child ends before, and it takes longer
   * to start two threads, and to end them, than to do all else.
   */
  restart(list: CallList): void {
    const { memcpy } = symbolAddresses();
    const workers = this.#workers ?? [];
    for (const worker of workers) {
      const { lock, wake, freshLock, freshWake } = asNew(worker);
      list.call(memcpy, lock, freshLock, freshLock.length);
      list.call(memcpy, wake, freshWake, freshWake.length);
    }
    const firstTask = this.#firstTask;
    if (firstTask === undefined) this.#started = startThreads(list, workers);
    else this.#startAtFirstTask(list, workers, firstTask);
  }

  /**
   * By calls of the list: has them started at the first task, or at once where there is one already. Whoever has forked may have given
   * it, to a worker that was called up, but had not come to it.
   */
  #startAtFirstTask(
    list: CallList,
    workers: readonly Worker[],
    firstTask: FirstCall,
  ): void {
    const { memcmp, memcpy, memset } = symbolAddresses();
    const isPending = callMemory(1);
    for (const [{ idle }, count] of runnersOf(workers)) {
      const full = new BigUint64Array(new ArrayBuffer(WORD));
      memorySymbols().memcpy(full, idle.start, 8n);
      full[0]! += BigInt(count * WORD);
      const end = new Uint8Array(full.buffer);
      // Where they were never started there never was a task.
      firstTask.whereMade(list, () => {
        list.unlessZero(list.call(memcmp, idle.end, end, WORD), () => {
          list.call(memset, isPending, 1, 1);
        });
      });
      // None is there to be called up.
      list.call(memcpy, idle.end, idle.start, WORD);
    }
    firstTask.await(list);
    list.whereSet(isPending, () => {
      firstTask.forgo(list);
      startThreads(list, workers);
    });
  }

  /** In the child, after that: sees whether they are there, or will be. */
  finish(list: CallList): void {
    for (const call of this.#started) {
      if (list.result(call) !== 0) return this.#giveUp();
    }
  }

  #giveUp(): void {
    this.complete = false;
    this.#workers = undefined;
  }
}

/** What hands out the work, and to how many of the workers. */
function runnersOf(workers: readonly Worker[]): Map<Runner, number> {
  const runners = new Map<Runner, number>();
  for (const { runner } of workers) {
    runners.set(runner, (runners.get(runner) ?? 0) + 1);
  }
  return runners;
}

/** By calls of the list: has each start anew. */
function startThreads(
  list: CallList,
  workers: readonly Worker[],
): CallResult[] {
  const { pthread_create } = symbolAddresses();
  return workers.map(({ object, handle, start }) =>
    list.call(pthread_create, handle, 0, start, object)
  );
}

/** A WebAssembly module without anything in it. */
const EMPTY_MODULE = Uint8Array.of(0, 0x61, 0x73, 0x6d, 1, 0, 0, 0);

/** Has V8 give its workers something to do, if it has WebAssembly. */
function giveTask(): void {
  globalThis.WebAssembly?.compile(EMPTY_MODULE).catch(() => {});
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
  /** The table of virtual functions of what hands out their work; `undefined` where it is not what it should be. */
  readonly table: bigint | undefined;
  readonly #runners = new Map<bigint, Runner>();
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
    this.table = this.#findTable();
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
    return {
      object,
      handle,
      start: start!,
      wake,
      lock,
      runner: this.#runner(runner, lock + BigInt(making.lock)),
      making,
    };
  }

  /** The one of that address, whose list of idle threads is there. */
  #runner(object: bigint, list: bigint): Runner {
    const known = this.#runners.get(object);
    if (known !== undefined) return known;
    const idle = { start: list, end: list + BigInt(WORD) };
    const runner = { object, idle };
    this.#runners.set(object, runner);
    return runner;
  }

  #findTable(): bigint | undefined {
    const tables = new Set(
      this.#runners.keys().map((runner) => this.#words(runner, 1)?.[0]),
    );
    const [table] = tables;
    if (tables.size !== 1 || table === undefined) return undefined;
    // The next class's table does not begin with a function.
    const functions = this.#words(table, VIRTUAL_FUNCTIONS + 1);
    const count = functions?.findIndex((address) =>
      !this.#isExecutable(address)
    );
    return count === undefined || count < 1 ? undefined : table;
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
