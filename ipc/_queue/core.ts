import { isOver } from "./deadline.ts";
import { Getting } from "./getting.ts";
import { Line } from "./line.ts";
import { Putting } from "./putting.ts";
import { releasedError, Ring } from "./ring.ts";
import type { Segment } from "./segment.ts";
import type { Side } from "./side.ts";

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
