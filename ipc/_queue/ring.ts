import { errorFor, retryInterrupted } from "../../ffi/_libc.ts";
import { queueSymbols } from "../../ffi/_symbols.ts";
import {
  FALLOC_FL_KEEP_SIZE,
  FALLOC_FL_PUNCH_HOLE,
} from "../../ffi/constants.ts";
import { ERRNO } from "../../ffi/errors.ts";
import {
  largeBase,
  largeUnits,
  RING,
  type Segment,
  SIDE,
  UNIT,
  WORD,
} from "./segment.ts";
import { Side } from "./side.ts";

/** The most that one call moves. */
const MOST = 0x4000_0000;

/** More bytes than there ever are. */
const WHOLE = 1n << 50n;

/**
 * The part of a queue's file where items are that the ring is too small for. It is written and read, not mapped: a full
 * file system is an error of that call alone, and no signal.
 *
 * Places are given out in turn, like those in the ring. As everywhere, what counts is only what the two sides have published:
 * what a killed producer has left is overwritten by the next one, and is nobody's until then.
 */
class LargeItems {
  readonly #fd: number;
  readonly #base: number;
  readonly #units: number;

  constructor(fd: number, ringBytes: number) {
    this.#fd = fd;
    this.#base = largeBase(ringBytes);
    this.#units = largeUnits(ringBytes);
  }

  /**
   * Where an item of that many bytes goes between what is filled and what is emptied; `null` as long as there is no room.
   *
   * One that is larger than all the room is put where nothing else is.
   */
  place(
    bytes: number,
    filled: number,
    emptied: number,
  ): { start: number; end: number } | null {
    const units = Math.ceil(bytes / UNIT);
    const used = (filled - emptied) >>> 0;
    const position = (filled >>> 0) % this.#units;
    const skipped = position + units > this.#units && position > 0
      ? this.#units - position
      : 0;
    if (used > 0 && skipped + units > this.#units - used) return null;
    const start = (filled + skipped) | 0;
    return { start, end: (start + units) | 0 };
  }

  /** Writes an item to its place. */
  write(start: number, item: Uint8Array): void {
    const { pwrite } = queueSymbols();
    for (let done = 0; done < item.length;) {
      const part = item.subarray(done, done + MOST) as Uint8Array<ArrayBuffer>;
      const at = BigInt(this.#offset(start) + done);
      const written = retryInterrupted(
        () => pwrite(this.#fd, part, BigInt(part.length), at),
        "pwrite",
        () => `Cannot put an item of ${item.length} bytes`,
      );
      if (written === 0) {
        throw errorFor(ERRNO.ENOSPC, "pwrite", () => "Cannot put an item");
      }
      done += written;
    }
  }

  /** Reads an item from its place: to the array that is given, if it fits, or to a new one. */
  read(start: number, bytes: number, into?: Uint8Array): Uint8Array {
    const { pread } = queueSymbols();
    const item = into === undefined || bytes > into.length
      ? new Uint8Array(bytes)
      : into.subarray(0, bytes);
    for (let done = 0; done < bytes;) {
      const part = item.subarray(done, done + MOST) as Uint8Array<ArrayBuffer>;
      const at = BigInt(this.#offset(start) + done);
      const got = retryInterrupted(
        () => pread(this.#fd, part, BigInt(part.length), at),
        "pread",
        () => `Cannot get an item of ${bytes} bytes`,
      );
      if (got === 0) {
        throw errorFor(ERRNO.EIO, "pread", () => "Cannot get an item");
      }
      done += got;
    }
    return item;
  }

  /** Gives all of the memory back. For when nothing is here, nor can come. That it cannot be done is no reason to fail. */
  free(): void {
    const mode = FALLOC_FL_KEEP_SIZE | FALLOC_FL_PUNCH_HOLE;
    queueSymbols().fallocate(this.#fd, mode, BigInt(this.#base), WHOLE);
  }

  #offset(position: number): number {
    return this.#base + ((position >>> 0) % this.#units) * UNIT;
  }
}

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
