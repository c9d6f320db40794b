import { Queue } from "../../ipc/queue.ts";
import { QueueClosed, QueueEmpty, QueueFull } from "../../ipc/queue_errors.ts";
import type { ChildProcess, ChildStatus } from "../child_process.ts";
import { forkChild } from "../fork_child.ts";
import type { Chunk, Job } from "./job.ts";
import type { Report, Task, Whereabouts } from "./messages.ts";
import { pack } from "./values.ts";
import { PoolWorker, type Work } from "./worker.ts";

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
