import { LargeItems } from "./large_items.ts";
import { RING, SIDE, WORD } from "./layout.ts";
import type { Segment } from "./segment.ts";
import { Side } from "./side.ts";

/** What a try gives that was in vain, for a reason that will pass. */
export const NOTHING: unique symbol = Symbol("nothing");
/** The same, since somebody holds the lock. */
export const BUSY: unique symbol = Symbol("busy");

/** The content of a record that says where a large item is: its place, and its length in two halves. */
export const LARGE_BYTES = 16;
export const HALF = 2 ** 32;

/** So many bytes at a time at most are put, or got, before others learn of it. */
export const BATCH_BYTES = 1 << 16;

/** The memory of a queue, and the two sides that fill and empty it. */
export class Ring {
  readonly segment: Segment;
  readonly maxsize: number;
  /** A power of two. */
  readonly size: number;
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly words: Int32Array;
  readonly large: LargeItems;
  readonly producers: Side;
  readonly consumers: Side;
  readonly tasks: Side;
  released = false;

  constructor(segment: Segment) {
    const { buffer } = segment;
    const words = new Int32Array(buffer);
    this.segment = segment;
    this.size = words[WORD.ringBytes]!;
    this.maxsize = words[WORD.maxsize]!;
    this.bytes = new Uint8Array(buffer, RING, this.size);
    this.words = new Int32Array(buffer, RING, this.size >> 2);
    this.large = new LargeItems(segment.fd, this.size);
    this.producers = new Side(words, SIDE.producers);
    this.consumers = new Side(words, SIDE.consumers);
    this.producers.other = this.consumers;
    this.consumers.other = this.producers;
    this.tasks = new Side(words, SIDE.tasks);
  }

  /** The most bytes that the content of a record may have, so that several fit. */
  get mostBytes(): number {
    return this.size >> 2;
  }

  /** Throws if the queue was released. */
  check(): void {
    if (this.released) throw releasedError();
  }
}

/** What every use of a handle ends with that was released. */
export function releasedError(): TypeError {
  return new TypeError("Cannot use the queue as it was released");
}
