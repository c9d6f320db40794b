import { Queue } from "../../ipc/queue.ts";
import { QueueClosed, QueueEmpty, QueueFull } from "../../ipc/queue_errors.ts";
import {
  isCloneable,
  portable,
  type PortableError,
} from "../_portable_error.ts";
import type { ChildProcess, ChildStatus } from "../child_process.ts";
import { forkChild } from "../fork_child.ts";
import { type Chunk, type Job, pack, type Packed } from "./job.ts";

/** What a worker is given to do: some items of one call, one after the other. */
interface Task {
  readonly chunk: number;
  /** The position of the first item among all of the call. */
  readonly first: number;
  readonly items: Packed;
}

/** What a worker has made of its items. */
export interface Report {
  readonly chunk: number;
  /** How long it took, in milliseconds. */
  readonly milliseconds: number;
  /** A result for each item; `undefined` for those that failed. */
  readonly results: Packed;
  /** The items that failed, by their position among these. */
  readonly failures: ReadonlyMap<number, PortableError>;
}

/** Where each worker is, in memory that is shared: what a worker that was killed can no longer tell. */
export class Whereabouts {
  static readonly BYTES_PER_WORKER = 8;
  readonly #words: Int32Array<ArrayBuffer>;

  constructor(memory: ArrayBuffer) {
    this.#words = new Int32Array(memory);
  }

  /** In a worker: it begins with an item. The chunk last, or a new one would be taken to be where the old one was. */
  enter(slot: number, chunk: number, item: number): void {
    Atomics.store(this.#words, slot * 2 + 1, item);
    Atomics.store(this.#words, slot * 2, chunk);
  }

  /** In the parent: at which item of the chunk the worker is, or was when it ended; `undefined` if it has not begun with the chunk. */
  find(slot: number, chunk: number): number | undefined {
    if (Atomics.load(this.#words, slot * 2) !== chunk) return undefined;
    return Atomics.load(this.#words, slot * 2 + 1);
  }
}

/** What a pool does with each item. */
export type Work<Item, Result> = (
  item: Item,
  index: number,
) => Result | Promise<Result>;

/** A worker, in its own process: does what it is given, until there will be no more. */
class PoolWorker<Item, Result> {
  readonly #work: Work<Item, Result>;
  readonly #slot: number;
  readonly #whereabouts: Whereabouts;
  /** Whether what it does is asynchronous: then its event loop must go on between the tasks as well. */
  #asynchronous = false;

  constructor(
    work: Work<Item, Result>,
    slot: number,
    whereabouts: Whereabouts,
  ) {
    this.#work = work;
    this.#slot = slot;
    this.#whereabouts = whereabouts;
  }

  /** Ends when the queue of tasks is closed. */
  async run(tasks: Queue<Task>, reports: Queue<Report>): Promise<void> {
    for (;;) {
      let task: Task;
      try {
        task = this.#asynchronous ? await tasks.getAsync() : tasks.get();
      } catch (error) {
        if (error instanceof QueueClosed) return;
        throw error;
      }
      send(await this.#do(task), reports);
    }
  }

  async #do({ chunk, first, items }: Task): Promise<SentReport> {
    const started = performance.now();
    const results: (Result | undefined)[] = [];
    const failures = new Map<number, PortableError>();
    for (let at = 0; at < items.length; at++) {
      this.#whereabouts.enter(this.#slot, chunk, at);
      try {
        const result = this.#work(items[at] as Item, first + at);
        if (isPromiseLike(result)) this.#asynchronous = true;
        results.push(isPromiseLike(result) ? await result : result);
      } catch (error) {
        results.push(undefined);
        failures.set(at, portable(error));
      }
    }
    return {
      chunk,
      milliseconds: performance.now() - started,
      results,
      failures,
    };
  }
}

function isPromiseLike<T>(value: T | PromiseLike<T>): value is PromiseLike<T> {
  return typeof (value as PromiseLike<T> | null | undefined)?.then ===
    "function";
}

type SentReport = Omit<Report, "results" | "failures"> & {
  results: unknown[];
  failures: Map<number, PortableError>;
};

function send(report: SentReport, reports: Queue<Report>): void {
  try {
    reports.put({ ...report, results: pack(report.results) });
  } catch (error) {
    if (!(error instanceof DOMException)) throw error;
    // One of the results cannot be cloned: that item has failed, the others have not.
    for (const [at, result] of report.results.entries()) {
      if (isCloneable(result)) continue;
      report.results[at] = undefined;
      report.failures.set(at, portable(error));
    }
    reports.put(report);
  }
}

/** A chunk that a worker has. */
interface Held {
  readonly id: number;
  readonly chunk: Chunk;
}

/** What a worker has not reported when it ends. */
interface Leftovers {
  readonly begun: Chunk | undefined;
  readonly at: number;
  readonly others: Chunk[];
}

/** A worker as the parent sees it: its process, its queue of tasks, and what it has not reported yet. */
export class Hand {
  static #ids = 0;
  readonly #slot: number;
  readonly #whereabouts: Whereabouts;
  readonly #tasks: Queue<Task> = new Queue<Task>();
  readonly #child: Promise<ChildProcess>;
  /** What it has been given, in that order. */
  readonly #held: Held[] = [];
  #running: ChildProcess | undefined;
  /** Whether it has ever done anything. */
  wasUseful = false;

  /** Forks it. */
  constructor(
    slot: number,
    work: Work<unknown, unknown>,
    whereabouts: Whereabouts,
    reports: Queue<Report>,
  ) {
    this.#slot = slot;
    this.#whereabouts = whereabouts;
    const worker = new PoolWorker(work, slot, whereabouts);
    this.#child = forkChild(() => worker.run(this.#tasks, reports), {
      name: "pool-worker",
      parentDeathSignal: "SIGKILL",
    });
  }

  /** Waits until it runs. */
  async started(): Promise<void> {
    const child = await this.#child;
    child.unref();
    this.#running = child;
  }

  /** Waits until it has ended. */
  async ended(): Promise<ChildStatus> {
    return await (await this.#child).status;
  }

  /** Lets go of its queue. */
  release(): void {
    this.#running = undefined;
    this.#tasks[Symbol.dispose]();
  }

  /** Its pid, while it runs. */
  get pid(): number | undefined {
    return this.#running?.pid;
  }

  /** How many chunks it has. */
  get load(): number {
    return this.#held.length;
  }

  /** The chunk that it works on, or will next. */
  get current(): Chunk | undefined {
    return this.#held[0]?.chunk;
  }

  /** Gives it a chunk; gives false where its queue has no room for a second one. Throws what cannot be cloned. */
  give(chunk: Chunk): boolean {
    const id = Hand.#ids = (Hand.#ids + 1) | 0;
    const task = { chunk: id, first: chunk.first, items: pack(chunk.items) };
    try {
      this.#tasks.putNowait(task);
    } catch (error) {
      if (error instanceof QueueFull && this.load > 0) return false;
      throw error;
    }
    this.#held.push({ id, chunk });
    return true;
  }

  /** Takes note that it has reported a chunk; `undefined` if that is not one of its own any more. */
  done(id: number): Chunk | undefined {
    const chunk = this.#remove(id);
    if (chunk !== undefined) this.wasUseful = true;
    return chunk;
  }

  /** Whether it has anything of a job. */
  has(job: Job): boolean {
    return this.#held.some(({ chunk }) => chunk.job === job);
  }

  /** Takes back a chunk that it has not begun; `undefined` if there is none. */
  takeBack(): Chunk | undefined {
    try {
      return this.#remove(this.#tasks.getNowait().chunk);
    } catch (error) {
      if (error instanceof QueueEmpty || error instanceof QueueClosed) {
        return undefined;
      }
      throw error;
    }
  }

  #remove(id: number): Chunk | undefined {
    const at = this.#held.findIndex((held) => held.id === id);
    return at === -1 ? undefined : this.#held.splice(at, 1)[0]!.chunk;
  }

  /** What it has left undone: the chunk that it had begun with, and at which item it was; and those that it had not. */
  leave(): Leftovers {
    const [first, ...rest] = this.#held.splice(0);
    const others = rest.map(({ chunk }) => chunk);
    if (first === undefined) return { begun: undefined, at: 0, others };
    const at = this.#whereabouts.find(this.#slot, first.id);
    if (at !== undefined) return { begun: first.chunk, at, others };
    return { begun: undefined, at: 0, others: [first.chunk, ...others] };
  }

  /** Has it end when it has done what it has, and this process wait for that. */
  dismiss(): void {
    this.#running?.ref();
    this.#tasks.close();
  }

  /** Ends it. */
  kill(): void {
    try {
      this.#running?.kill("SIGKILL");
    } catch (error) {
      // It has ended already.
      if (!(error instanceof TypeError)) throw error;
    }
  }
}
