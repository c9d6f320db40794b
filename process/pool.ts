import { checkFunction, checkInteger, wrongType } from "../ffi/_arguments.ts";
import { Crew } from "./_pool/crew.ts";
import { Job, type JobOptions, type Outcomes, Results } from "./_pool/job.ts";
import type { Work } from "./_pool/hand.ts";

/** Options for {@linkcode Pool}. */
export interface PoolOptions {
  /**
   * How many workers there are.
   *
   * @default {number} as many as this process may use CPUs
   */
  workers?: number;
  /**
   * How often an item is tried again whose worker has ended while it was at it. An item that fails by an exception is not.
   *
   * @default {1}
   */
  retries?: number;
}

/** How far a call of {@linkcode Pool} has come. */
export interface PoolProgress {
  /** How many items are done. */
  done: number;
  /** How many there are; `undefined` where that is not known, as for a generator. */
  total: number | undefined;
}

/** Options for a call of {@linkcode Pool}. */
export interface PoolCallOptions {
  /**
   * How many items a worker is given at once.
   *
   * @default {number} as many as take it some milliseconds, found out on the way
   */
  chunkSize?: number;
  /** Gives up: workers that are at an item of this call are killed and replaced, and the call is rejected with the signal's reason. */
  signal?: AbortSignal;
  /** Called whenever more is done. */
  onProgress?: (progress: PoolProgress) => void;
}

/** What a pool can be given: a list, or whatever gives one item after the other. */
export type PoolItems<Item> = Iterable<Item> | AsyncIterable<Item>;

const WORKERS_MAX = 1024;
/** How far a pool goes ahead of whoever iterates, in chunks for each worker. */
const CHUNKS_AHEAD = 4;

/**
 * Forked workers that do one thing with many items, on every CPU.
 *
 * The workers are forked in the turn of the event loop that follows the construction, and they have all that was there then: the
 * function, what it closes over, modules that are loaded, tables that are built, copied only where somebody writes to them.
 * Items and results are sent by structured clone.
 *
 * A worker that ends, whatever the reason, is replaced by a fork of this process as it is then; what it was at is done again, and
 * reported as a {@linkcode PoolWorkerError} if that ends a worker as well. So an item may be worked on twice, but has one
 * result. A function that returns promises has a running event loop around it; one that does not is called in a loop, and
 * timers that it has set run when there is nothing to do only if it has ever returned a promise.
 *
 * The workers end with the pool, and are killed if this process ends without closing it. They do not keep it alive.
 *
 * @typeParam Item What the function gets.
 * @typeParam Result What it returns, or promises.
 *
 * @example A table that is built once, and used by all
 * ```ts
 * import { Pool } from "@posix/process/process";
 * import { assertEquals } from "@std/assert";
 *
 * const squares = Array.from({ length: 1000 }, (_, n) => n * n);
 * await using pool = new Pool((n: number) => squares[n], { workers: 2 });
 * assertEquals(await pool.map([3, 4, 5]), [9, 16, 25]);
 * ```
 *
 * @see {@link https://docs.python.org/3/library/multiprocessing.html#module-multiprocessing.pool | multiprocessing.pool}
 */
export class Pool<Item, Result> implements AsyncDisposable {
  readonly #crew: Crew;

  /**
   * Forks the workers.
   *
   * @param work What is done with an item; its second argument is the item's position among those of the call.
   * @param options How many workers, and how often they try.
   * @throws {TypeError} If `work` is no function.
   * @throws {RangeError} If a number is not a suitable integer.
   * @throws {PosixError} If there is no memory to share.
   */
  constructor(work: Work<Item, Result>, options: PoolOptions = {}) {
    checkFunction(work, "work");
    const { workers = navigator.hardwareConcurrency, retries = 1 } = options;
    checkInteger(workers, "workers", 1, WORKERS_MAX);
    checkInteger(retries, "retries", 0);
    this.#crew = new Crew(work as Work<unknown, unknown>, workers, retries);
  }

  /** The pids of the workers that run at the moment. */
  get pids(): number[] {
    return this.#crew.pids;
  }

  /**
   * Does it with all items.
   *
   * @param items The items.
   * @param options Chunks, progress, a signal.
   * @returns The results, in the order of the items. It is rejected with the first error, and what is not done then is left.
   * @throws {PoolWorkerError} If workers have ended at an item too often.
   * @throws {DOMException} `DataCloneError` if an item or a result cannot be cloned.
   * @throws {TypeError} If the pool is closed, or `items` cannot be iterated over.
   * @throws {PosixError} As {@linkcode fork}, if no worker can be had.
   *
   * @example Squares
   * ```ts
   * import { Pool } from "@posix/process/process";
   * import { assertEquals } from "@std/assert";
   *
   * await using pool = new Pool((n: number) => n * n, { workers: 2 });
   * assertEquals(await pool.map([1, 2, 3]), [1, 4, 9]);
   * ```
   */
  async map(
    items: PoolItems<Item>,
    options: PoolCallOptions = {},
  ): Promise<Result[]> {
    const results: Result[] = [];
    for (const { values } of await this.#all(items, options, true)) {
      for (let at = 0; at < values.length; at++) {
        results.push(values[at] as Result);
      }
    }
    return results;
  }

  /**
   * Does it with all items, whatever becomes of each.
   *
   * @param items The items.
   * @param options Chunks, progress, a signal.
   * @returns The results and errors, in the order of the items, in the form of `Promise.allSettled`.
   * @throws {TypeError} If the pool is closed, or `items` cannot be iterated over.
   *
   * @example One that fails
   * ```ts
   * import { Pool } from "@posix/process/process";
   * import { assertEquals } from "@std/assert";
   *
   * await using pool = new Pool((text: string) => JSON.parse(text), { workers: 2 });
   * const [good, bad] = await pool.mapSettled(["[1]", "["]);
   * assertEquals(good, { status: "fulfilled", value: [1] });
   * assertEquals(bad?.status, "rejected");
   * ```
   */
  async mapSettled(
    items: PoolItems<Item>,
    options: PoolCallOptions = {},
  ): Promise<PromiseSettledResult<Result>[]> {
    const results: PromiseSettledResult<Result>[] = [];
    for (const part of await this.#all(items, options, false)) {
      for (let at = 0; at < part.values.length; at++) {
        results.push(
          part.failures.has(at)
            ? { status: "rejected", reason: part.failures.get(at) }
            : { status: "fulfilled", value: part.values[at] as Result },
        );
      }
    }
    return results;
  }

  /**
   * Does it with one item after the other, and gives each result as soon as it and all before it are there.
   *
   * It goes only some way ahead of whoever iterates, so that there may be more items than fit into memory. Leaving the loop leaves
   * the rest undone.
   *
   * @param items The items; an asynchronous source is asked for more as there is room.
   * @param options Chunks, progress, a signal.
   * @returns The results, in the order of the items. The iteration throws what `map` would be rejected with.
   * @throws {TypeError} If the pool is closed, or `items` cannot be iterated over.
   *
   * @example In order
   * ```ts
   * import { Pool } from "@posix/process/process";
   * import { assertEquals } from "@std/assert";
   *
   * await using pool = new Pool((n: number) => n * n, { workers: 2 });
   * assertEquals(await Array.fromAsync(pool.imap([1, 2, 3])), [1, 4, 9]);
   * ```
   */
  imap(
    items: PoolItems<Item>,
    options: PoolCallOptions = {},
  ): AsyncIterableIterator<Result> {
    return this.#iterate(items, options, true);
  }

  /**
   * As {@linkcode Pool.prototype.imap | Pool.imap}, but each result as soon as it is there.
   *
   * @param items The items.
   * @param options Chunks, progress, a signal.
   * @returns The results, in whatever order.
   * @throws {TypeError} If the pool is closed, or `items` cannot be iterated over.
   *
   * @example In any order
   * ```ts
   * import { Pool } from "@posix/process/process";
   * import { assertEquals } from "@std/assert";
   *
   * await using pool = new Pool((n: number) => n * n, { workers: 2 });
   * const results = await Array.fromAsync(pool.imapUnordered([1, 2, 3]));
   * assertEquals(results.sort(), [1, 4, 9]);
   * ```
   */
  imapUnordered(
    items: PoolItems<Item>,
    options: PoolCallOptions = {},
  ): AsyncIterableIterator<Result> {
    return this.#iterate(items, options, false);
  }

  /**
   * Does it with one item.
   *
   * @param item The item.
   * @param options A signal.
   * @returns The result.
   * @throws {PoolWorkerError} If workers have ended at it too often.
   * @throws {TypeError} If the pool is closed.
   *
   * @example One task
   * ```ts
   * import { Pool } from "@posix/process/process";
   * import { assertEquals } from "@std/assert";
   *
   * await using pool = new Pool((n: number) => n * n, { workers: 1 });
   * assertEquals(await pool.run(12), 144);
   * ```
   */
  async run(
    item: Item,
    options: Pick<PoolCallOptions, "signal"> = {},
  ): Promise<Result> {
    const [result] = await this.map([item], options);
    return result!;
  }

  /**
   * Takes nothing more, waits until all that was asked for is done, and ends the workers. Twice without harm.
   *
   * @returns When they have ended.
   * @throws {PosixError} `EPERM` if a worker that does not end runs as another user by now, and cannot be killed.
   *
   * @example Closing
   * ```ts
   * import { Pool } from "@posix/process/process";
   * import { assertEquals } from "@std/assert";
   *
   * const pool = new Pool((n: number) => n * n, { workers: 1 });
   * const result = pool.run(3);
   * await pool.close();
   * assertEquals(await result, 9);
   * ```
   */
  close(): Promise<void> {
    return this.#crew.close(true);
  }

  /** Ends the workers at once; what is not done is rejected with a `TypeError`. Twice without harm. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.#crew.close(false);
  }

  /** All outcomes, in order; one that is strict ends with the first failure. */
  #all(
    items: PoolItems<Item>,
    options: PoolCallOptions,
    strict: boolean,
  ): Promise<Outcomes[]> {
    return new Promise((resolve, reject) => {
      const parts: Outcomes[] = [];
      const job = this.#start(items, options, {
        chunksAhead: Infinity,
        deliver(part) {
          parts.push(part);
          if (!strict) return;
          for (const reason of part.failures.values()) job.end(reason);
        },
        finish(error) {
          if (error !== undefined) reject(error.reason);
          else resolve(parts.sort((a, b) => a.first - b.first));
        },
      });
    });
  }

  #iterate(
    items: PoolItems<Item>,
    options: PoolCallOptions,
    ordered: boolean,
  ): AsyncIterableIterator<Result> {
    const results = new Results(ordered);
    const job = this.#start(items, options, {
      chunksAhead: CHUNKS_AHEAD,
      deliver: (outcomes) => results.add(outcomes),
      finish: (error) => results.end(error),
    });
    const cancel = () =>
      this.#crew.cancel(job, new TypeError("The iteration was left"));
    return results.iterate<Result>(() => job.fetched(1), cancel);
  }

  #start(
    items: PoolItems<Item>,
    { chunkSize, signal, onProgress }: PoolCallOptions,
    how: Omit<JobOptions, "chunkSize">,
  ): Job {
    this.#crew.check();
    if (chunkSize !== undefined) checkInteger(chunkSize, "chunkSize", 1);
    signal?.throwIfAborted();
    const total = count(items);
    let done = 0;
    const job = new Job(items, {
      ...how,
      chunkSize,
      deliver(outcomes) {
        done += outcomes.values.length;
        how.deliver(outcomes);
        try {
          onProgress?.({ done, total });
        } catch (error) {
          job.end(error);
        }
      },
      finish(error) {
        signal?.removeEventListener("abort", abort);
        how.finish(error);
      },
    }, () => this.#crew.pump());
    const abort = () => this.#crew.cancel(job, signal?.reason);
    signal?.addEventListener("abort", abort);
    this.#crew.add(job);
    return job;
  }
}

/** How many items there are, where that can be told. Refuses what has none. */
function count(items: PoolItems<unknown>): number | undefined {
  if (Array.isArray(items)) return items.length;
  const known = Object(items);
  if (!(Symbol.iterator in known) && !(Symbol.asyncIterator in known)) {
    throw wrongType(items, "items", "iterable");
  }
  if (ArrayBuffer.isView(items)) return (items as Uint8Array).length;
  return items instanceof Set || items instanceof Map ? items.size : undefined;
}
