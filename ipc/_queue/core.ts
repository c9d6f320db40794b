import { stopTimer, type Timer } from "../../ffi/_deno_core.ts";
import { QueueEmpty, QueueFull } from "../queue_errors.ts";
import { BUSY, NOTHING, releasedError, Ring } from "./ring.ts";
import type { Segment } from "./segment.ts";
import { isOver, Line, type Side, type Verdict } from "./side.ts";
import { Getting, Putting } from "./transfer.ts";

/** Puts an item without blocking. */
export function putItem(
  core: Core,
  item: unknown,
  deadline: number,
  signal: AbortSignal | undefined,
): unknown {
  signal?.throwIfAborted();
  core.check();
  const encoder = core.putting.takeEncoder();
  const end = encoder.encode(item, 0);
  const attempt = () => {
    const result = core.putting.putEncoded(encoder, end);
    if (result === true) core.putting.giveEncoder(encoder);
    return result;
  };
  return inTurn(
    core.putters,
    attempt,
    deadline,
    signal,
    () => new QueueFull(),
  );
}

/** Gets an item without blocking. */
export function getItem(
  core: Core,
  deadline: number,
  signal: AbortSignal | undefined,
  into: Uint8Array | undefined,
): unknown {
  signal?.throwIfAborted();
  core.check();
  return inTurn(
    core.getters,
    () => core.getting.tryGet(into),
    deadline,
    signal,
    () => new QueueEmpty(),
  );
}

/** Waits until all tasks are done, without blocking; gives false if the time is over. */
export async function joined(
  core: Core,
  deadline: number,
  signal: AbortSignal | undefined,
): Promise<boolean> {
  signal?.throwIfAborted();
  core.check();
  const attempt = () => core.allDone || NOTHING;
  try {
    await inTurn(
      core.joiners,
      attempt,
      deadline,
      signal,
      () => new QueueEmpty(),
    );
    return true;
  } catch (error) {
    if (error instanceof QueueEmpty) return false;
    throw error;
  }
}

/** Tries at once if nobody else is waiting, and else queues up. Gives the result, or a promise of it. */
function inTurn(
  line: Line,
  attempt: () => unknown,
  deadline: number,
  signal: AbortSignal | undefined,
  late: () => Error,
): unknown {
  if (line.free) {
    const result = attempt();
    if (result !== NOTHING && result !== BUSY) return result;
  }
  return new Promise((resolve, reject) => {
    let timer: Timer | undefined;
    const end = () => {
      stopTimer(timer);
      signal?.removeEventListener("abort", abort);
    };
    const waiter = {
      attempt(): Verdict {
        try {
          const result = attempt();
          if (result === NOTHING) return "nothing";
          if (result === BUSY) return "busy";
          end();
          resolve(result);
        } catch (error) {
          end();
          reject(error);
        }
        return "done";
      },
      fail(error: unknown): void {
        end();
        reject(error);
      },
    };
    const leave = (reason: unknown) => {
      line.remove(waiter);
      waiter.fail(reason);
    };
    const abort = () => leave(signal!.reason);
    signal?.addEventListener("abort", abort);
    if (deadline !== Infinity) {
      const left = Math.max(0, deadline - performance.now());
      // A timer takes no more than 31 bits; one who waits that long is not to be disappointed early.
      if (left < 2 ** 31) timer = setTimeout(() => leave(late()), left);
    }
    line.add(waiter);
  });
}

/**
 * A queue as one process sees it.
 *
 * Both sides do the same: take their lock, write to the ring, or read from it, between the two positions, which is nobody
 * else's business, and publish their new position. See `Side` for what makes that safe from kills.
 */
export class Core {
  readonly maxsize: number;
  readonly producers: Side;
  readonly consumers: Side;
  readonly tasks: Side;
  readonly putting: Putting;
  readonly getting: Getting;
  readonly getters: Line;
  readonly putters: Line;
  readonly joiners: Line;
  readonly #ring: Ring;

  constructor(segment: Segment) {
    const ring = new Ring(segment);
    this.#ring = ring;
    this.maxsize = ring.maxsize;
    this.producers = ring.producers;
    this.consumers = ring.consumers;
    this.tasks = ring.tasks;
    this.putting = new Putting(ring);
    this.getting = new Getting(ring);
    this.getters = new Line(ring.producers);
    this.putters = new Line(ring.consumers);
    this.joiners = new Line(ring.tasks);
  }

  get fd(): number {
    this.check();
    return this.#ring.segment.fd;
  }

  release(): void {
    const { segment, released } = this.#ring;
    if (released) return;
    this.#ring.released = true;
    segment.close();
    for (const line of this.#lines) line.end(releasedError());
    // A thread that sleeps on the memory can be woken as long as the memory is there.
    const settled = this.settled();
    if (settled === undefined) segment.unmap();
    else settled.then(() => segment.unmap());
  }

  /** Resolves when no thread of this process sleeps here any more, though it was called off; `undefined` if none does. */
  settled(): Promise<unknown> | undefined {
    const waits = this.#lines.map((line) => line.settled())
      .filter((wait) => wait !== undefined);
    return waits.length === 0 ? undefined : Promise.all(waits);
  }

  get #lines(): Line[] {
    return [this.getters, this.putters, this.joiners];
  }

  /** Throws if the queue was released. */
  check(): void {
    this.#ring.check();
  }

  // Tasks

  taskDone(): void {
    this.check();
    const { tasks, producers } = this;
    tasks.lock(Infinity);
    try {
      producers.refresh();
      if (tasks.count === producers.count) {
        throw new RangeError(
          "Cannot say that a task is done as none is left to be done",
        );
      }
      tasks.publish(0, (tasks.count + 1) | 0, 0, 0);
    } finally {
      tasks.unlock();
    }
  }

  /** Whether every item that was put is dealt with. */
  get allDone(): boolean {
    this.tasks.refresh();
    this.producers.refresh();
    return this.tasks.count === this.producers.count;
  }

  join(deadline: number): boolean {
    for (;;) {
      this.check();
      if (this.allDone) return true;
      if (isOver(deadline)) return false;
      this.tasks.wait(deadline);
    }
  }

  // The whole

  /** Items that were put and not yet got. */
  size(): number {
    this.check();
    this.consumers.refresh();
    this.producers.refresh();
    return Math.max(0, (this.producers.count - this.consumers.count) | 0);
  }

  get closed(): boolean {
    this.check();
    this.producers.refresh();
    return this.producers.closed !== 0;
  }

  /** Closes the queue for all. Both sides learn of it: those who get sleep for the one, those who put for the other. */
  close(): void {
    this.check();
    for (const side of [this.producers, this.consumers]) {
      side.lock(Infinity);
      try {
        if (side.closed === 0) {
          side.publish(side.position, side.count, side.large, 1);
        }
      } finally {
        side.unlock();
      }
    }
  }
}

const cores = new WeakMap<object, Core>();

/** Notes whose a core is, for those who extend a queue. */
export function keepCore(queue: object, core: Core): Core {
  cores.set(queue, core);
  return core;
}

/** The core of a queue. */
export function coreOf(queue: object): Core {
  return cores.get(queue)!;
}
