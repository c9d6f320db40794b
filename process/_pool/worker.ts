import type { Queue } from "../../ipc/queue.ts";
import { QueueClosed } from "../../ipc/queue_errors.ts";
import {
  isCloneable,
  portable,
  type PortableError,
} from "../_portable_error.ts";
import type { Report, Task, Whereabouts } from "./messages.ts";
import { pack } from "./values.ts";

/** What a pool does with each item. */
export type Work<Item, Result> = (
  item: Item,
  index: number,
) => Result | Promise<Result>;

/** A worker, in its own process: does what it is given, until there will be no more. */
export class PoolWorker<Item, Result> {
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
