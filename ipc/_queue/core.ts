import { QueueClosed, QueueEmpty, QueueFull } from "../queue_errors.ts";
import {
  complete,
  copyOut,
  Encoder,
  isPlainBytes,
  KIND,
  LARGE,
} from "./codec.ts";
import { LargeItems } from "./large_items.ts";
import { HEAD, recordBytes, RING, SIDE, WORD } from "./layout.ts";
import { Line } from "./line.ts";
import type { Segment } from "./segment.ts";
import { Side } from "./side.ts";

/** What a try gives that was in vain, for a reason that will pass. */
export const NOTHING: unique symbol = Symbol("nothing");
/** The same, since somebody holds the lock. */
export const BUSY: unique symbol = Symbol("busy");

/** The content of a record that says where a large item is: its place, and its length in two halves. */
const LARGE_BYTES = 16;
const HALF = 2 ** 32;

/** Up to so many bytes, a loop is faster than a call. */
const SHORT = 256;

/** From so many bytes on, copying once more is worth to be avoided. */
const LONG = 4096;

/** So many bytes at a time at most are put, or got, before others learn of it. */
const BATCH_BYTES = 1 << 16;

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
  readonly getters: Line;
  readonly putters: Line;
  readonly joiners: Line;
  readonly #segment: Segment;
  readonly #ringBytes: number;
  readonly #ring: Uint8Array<ArrayBuffer>;
  readonly #ringWords: Int32Array;
  readonly #large: LargeItems;
  #encoder: Encoder | undefined = new Encoder();
  #released = false;
  /** The kind of the item that was taken last. */
  #kind = 0;

  constructor(segment: Segment) {
    const words = new Int32Array(segment.buffer);
    this.#segment = segment;
    this.#ringBytes = words[WORD.ringBytes]!;
    this.maxsize = words[WORD.maxsize]!;
    this.#ring = new Uint8Array(segment.buffer, RING, this.#ringBytes);
    this.#ringWords = new Int32Array(
      segment.buffer,
      RING,
      this.#ringBytes >> 2,
    );
    this.producers = new Side(words, SIDE.producers);
    this.consumers = new Side(words, SIDE.consumers);
    this.producers.other = this.consumers;
    this.consumers.other = this.producers;
    this.tasks = new Side(words, SIDE.tasks);
    this.#large = new LargeItems(segment.fd, this.#ringBytes);
    this.getters = new Line(this.producers);
    this.putters = new Line(this.consumers);
    this.joiners = new Line(this.tasks);
  }

  get fd(): number {
    this.check();
    return this.#segment.fd;
  }

  get released(): boolean {
    return this.#released;
  }

  release(): void {
    if (this.#released) return;
    this.#released = true;
    this.#segment.close();
    const lines = [this.getters, this.putters, this.joiners];
    for (const line of lines) line.end(released());
    // A thread that sleeps on the memory can be woken as long as the memory is there.
    const waits = lines.map((line) => line.settled())
      .filter((wait) => wait !== undefined);
    if (waits.length === 0) this.#segment.unmap();
    else Promise.all(waits).then(() => this.#segment.unmap());
  }

  /** Throws if the queue was released. */
  check(): void {
    if (this.#released) throw released();
  }

  // Putting

  put(item: unknown, deadline: number): void {
    this.check();
    if (isPlainBytes(item)) {
      while (!this.#tryBytes(item, deadline)) this.#awaitRoom(deadline);
      return;
    }
    const encoder = this.takeEncoder();
    try {
      const end = encoder.encode(item, 0);
      while (this.#tryRecords(encoder, 0, end, deadline) !== end) {
        this.#awaitRoom(deadline);
      }
    } finally {
      this.giveEncoder(encoder);
    }
  }

  putMany(items: Iterable<unknown>, deadline: number): number {
    this.check();
    const encoder = this.takeEncoder();
    try {
      // Long bytes are not copied twice: each stands for itself between runs of records, which are known by their ends.
      const parts: (Uint8Array | number)[] = [];
      let end = 0;
      for (const item of items) {
        if (isPlainBytes(item) && item.length > LONG) {
          parts.push(end, item);
        } else {
          end = encoder.encode(item, end);
        }
      }
      parts.push(end);
      return this.#putParts(parts, encoder, deadline);
    } finally {
      this.giveEncoder(encoder);
    }
  }

  #putParts(
    parts: readonly (Uint8Array | number)[],
    encoder: Encoder,
    deadline: number,
  ): number {
    let count = 0;
    let at = 0;
    for (const part of parts) {
      if (typeof part !== "number") {
        while (!this.#tryBytes(part, deadline)) {
          if (!this.#roomBefore(deadline)) return count;
        }
        count++;
        continue;
      }
      while (at < part) {
        const next = this.#tryRecords(encoder, at, part, deadline);
        count += this.#countRecords(encoder, at, next);
        if (next === at && !this.#roomBefore(deadline)) return count;
        at = next;
      }
    }
    return count;
  }

  /** Puts an encoded item unless the queue is full, or busy, and gives whether that was done. */
  putEncoded(
    encoder: Encoder,
    end: number,
  ): true | typeof NOTHING | typeof BUSY {
    if (!this.producers.tryLock()) return BUSY;
    return this.#putLocked(encoder, 0, end) === end ? true : NOTHING;
  }

  /** An encoder that nobody else writes to until it is given back: getters of an item may put things themselves. */
  takeEncoder(): Encoder {
    const encoder = this.#encoder ?? new Encoder();
    this.#encoder = undefined;
    return encoder;
  }

  giveEncoder(encoder: Encoder): void {
    encoder.trim();
    this.#encoder = encoder;
  }

  /** The most bytes that the content of a record may have, so that several fit into the ring. */
  get #mostBytes(): number {
    return this.#ringBytes >> 2;
  }

  #awaitRoom(deadline: number): void {
    if (!this.#roomBefore(deadline)) throw new QueueFull();
  }

  /** Waits for somebody to get something; gives false if the time is over. */
  #roomBefore(deadline: number): boolean {
    if (deadline === 0 || performance.now() >= deadline) return false;
    this.consumers.wait(deadline);
    this.check();
    return true;
  }

  #tryBytes(item: Uint8Array, deadline: number): boolean {
    const { producers } = this;
    if (!producers.lock(deadline)) return false;
    try {
      this.#checkClosed();
      if (item.length > this.#mostBytes) {
        return this.#putLarge(item, KIND.bytes);
      }
      const at = this.#room(recordBytes(item.length));
      if (at === -1) return false;
      const offset = at & (this.#ringBytes - 1);
      this.#ringWords[offset >> 2] = item.length;
      this.#ringWords[(offset >> 2) + 1] = KIND.bytes;
      this.#ring.set(item, offset + HEAD);
      producers.publish(
        (at + recordBytes(item.length)) | 0,
        (producers.count + 1) | 0,
        producers.large,
        0,
      );
      return true;
    } finally {
      producers.unlock();
    }
  }

  /** Puts records as far as there is room, and gives how far that was. */
  #tryRecords(
    encoder: Encoder,
    from: number,
    end: number,
    deadline: number,
  ): number {
    return this.producers.lock(deadline)
      ? this.#putLocked(encoder, from, end)
      : from;
  }

  #putLocked(encoder: Encoder, from: number, end: number): number {
    try {
      this.#checkClosed();
      let at = from;
      for (;;) {
        const next = this.#putBatch(encoder, at, end);
        if (next === at || next === end) return next;
        at = next;
      }
    } finally {
      this.producers.unlock();
    }
  }

  /** Puts some records, and publishes them. */
  #putBatch(encoder: Encoder, from: number, end: number): number {
    const { producers } = this;
    const { words } = encoder;
    let { position, count } = producers;
    let at = from;
    while (at < end && at - from < BATCH_BYTES) {
      const length = words[at >> 2]! >>> 0;
      const size = recordBytes(length);
      if (length > this.#mostBytes) {
        // One that fails is to fail alone: those before it are published first.
        if (at > from) break;
        const content = encoder.bytes.subarray(at + HEAD, at + HEAD + length);
        return this.#putLarge(content, words[(at >> 2) + 1]!) ? at + size : at;
      }
      const place = this.#roomAt(position, count, size);
      if (place === -1) break;
      this.#copyIn(encoder, at, size, place & (this.#ringBytes - 1));
      position = (place + size) | 0;
      count = (count + 1) | 0;
      at += size;
    }
    if (at > from) producers.publish(position, count, producers.large, 0);
    return at;
  }

  /** Puts one large item if there is room for it. */
  #putLarge(content: Uint8Array, kind: number): boolean {
    const { producers } = this;
    const { length } = content;
    const at = this.#room(LARGE_BYTES + HEAD);
    if (at === -1) return false;
    const where = this.#placeLarge(length);
    if (where === null) return false;
    this.#large.write(where.start, content);
    const index = (at & (this.#ringBytes - 1)) >> 2;
    this.#ringWords[index] = LARGE_BYTES;
    this.#ringWords[index + 1] = kind | LARGE;
    this.#ringWords[index + 2] = where.end;
    this.#ringWords[index + 3] = where.start;
    this.#ringWords[index + 4] = length % HALF;
    this.#ringWords[index + 5] = Math.floor(length / HALF);
    producers.publish(
      (at + LARGE_BYTES + HEAD) | 0,
      (producers.count + 1) | 0,
      where.end,
      0,
    );
    return true;
  }

  #copyIn(encoder: Encoder, from: number, size: number, to: number): void {
    if (size > SHORT) {
      this.#ring.set(encoder.bytes.subarray(from, from + size), to);
      return;
    }
    const source = from >> 2;
    const target = to >> 2;
    for (let i = 0; i < size >> 2; i++) {
      this.#ringWords[target + i] = encoder.words[source + i]!;
    }
  }

  #countRecords(encoder: Encoder, from: number, end: number): number {
    let count = 0;
    for (let at = from; at < end; count++) {
      at += recordBytes(encoder.words[at >> 2]! >>> 0);
    }
    return count;
  }

  #checkClosed(): void {
    if (this.producers.closed !== 0) throw new QueueClosed();
  }

  #room(size: number): number {
    return this.#roomAt(this.producers.position, this.producers.count, size);
  }

  /** Where in the ring a record goes that comes after so much and so many others; -1 if there is no room. */
  #roomAt(position: number, count: number, size: number): number {
    const { consumers } = this;
    const offset = position & (this.#ringBytes - 1);
    const rest = this.#ringBytes - offset;
    const needed = rest < size ? rest + size : size;
    if (consumers.outdated || !this.#fits(position, count, needed)) {
      consumers.refresh();
      if (!this.#fits(position, count, needed)) return -1;
    }
    if (needed === size) return position;
    this.#ringWords[offset >> 2] = rest - HEAD;
    this.#ringWords[(offset >> 2) + 1] = KIND.padding;
    return (position + rest) | 0;
  }

  /** Where a large item goes; `null` if there is no room. */
  #placeLarge(bytes: number): { start: number; end: number } | null {
    const { producers, consumers } = this;
    const place = this.#large.place(bytes, producers.large, consumers.large);
    if (place !== null) return place;
    consumers.refresh();
    return this.#large.place(bytes, producers.large, consumers.large);
  }

  #fits(position: number, count: number, needed: number): boolean {
    const { consumers, maxsize } = this;
    const used = (position - consumers.position) | 0;
    return needed <= this.#ringBytes - used &&
      (maxsize === 0 || ((count - consumers.count) | 0) < maxsize);
  }

  // Getting

  get(deadline: number): unknown {
    this.check();
    for (;;) {
      const content = this.#tryTake(deadline);
      if (content === BUSY) throw new QueueEmpty();
      if (content !== NOTHING) return complete(this.#kind, content);
      if (this.producers.closed !== 0) throw new QueueClosed();
      this.#awaitItem(deadline);
    }
  }

  getMany(most: number, deadline: number): unknown[] {
    this.check();
    for (;;) {
      const items = this.#tryTakeMany(most, deadline);
      if (items.length > 0) return items;
      if (this.producers.closed !== 0) throw new QueueClosed();
      this.#awaitItem(deadline);
    }
  }

  /** Gets an item if there is one and nobody else is getting one. */
  tryGet(): unknown | typeof NOTHING | typeof BUSY {
    if (this.#seesNone()) {
      if (this.producers.closed !== 0) throw new QueueClosed();
      return NOTHING;
    }
    if (!this.consumers.tryLock()) return BUSY;
    const content = this.#takeAndUnlock();
    if (content !== NOTHING) return complete(this.#kind, content);
    if (this.producers.closed !== 0) throw new QueueClosed();
    return NOTHING;
  }

  #awaitItem(deadline: number): void {
    if (deadline === 0 || performance.now() >= deadline) throw new QueueEmpty();
    this.producers.wait(deadline);
    this.check();
  }

  /** Whether nothing is there, as far as can be seen without the lock. */
  #seesNone(): boolean {
    const { producers, consumers } = this;
    // What was there when last looked at is there still, unless somebody else got it. That is seen with the lock.
    if (producers.position !== consumers.position) return false;
    producers.refresh();
    consumers.refresh();
    return producers.position === consumers.position;
  }

  #tryTake(deadline: number): unknown {
    if (this.#seesNone()) return NOTHING;
    if (!this.consumers.lock(deadline)) return BUSY;
    return this.#takeAndUnlock();
  }

  #takeAndUnlock(): unknown {
    const { consumers } = this;
    try {
      const at = this.#first(consumers.position);
      if (at === -1) return NOTHING;
      const offset = at & (this.#ringBytes - 1);
      const length = this.#ringWords[offset >> 2]!;
      const kind = this.#ringWords[(offset >> 2) + 1]!;
      const after = (at + recordBytes(length)) | 0;
      if (kind >= LARGE) return this.#takeLarge(offset, kind, after);
      const content = copyOut(kind, this.#ring, offset + HEAD, length);
      consumers.publish(
        after,
        (consumers.count + 1) | 0,
        consumers.large,
        consumers.closed,
      );
      this.#kind = kind;
      return content;
    } finally {
      consumers.unlock();
    }
  }

  /** Takes a large item, then gives its room back: in this order, or one who is killed in between tears it. */
  #takeLarge(offset: number, kind: number, after: number): unknown {
    const { consumers, producers } = this;
    const index = offset >> 2;
    const end = this.#ringWords[index + 2]!;
    const start = this.#ringWords[index + 3]!;
    const length = (this.#ringWords[index + 4]! >>> 0) +
      this.#ringWords[index + 5]! * HALF;
    const bytes = this.#large.read(start, length);
    const count = (consumers.count + 1) | 0;
    consumers.publish(after, count, end, consumers.closed);
    if (length > this.#ringBytes && producers.tryLock()) {
      if (producers.large === end) this.#large.free();
      producers.unlock();
    }
    this.#kind = kind - LARGE;
    return this.#kind === KIND.bytes || this.#kind === KIND.v8
      ? bytes
      : copyOut(this.#kind, bytes, 0, length);
  }

  /** Where the record is that comes next; -1 if there is none. */
  #first(position: number): number {
    const { producers } = this;
    if (producers.outdated || producers.position === position) {
      producers.refresh();
      if (producers.position === position) return -1;
    }
    const index = (position & (this.#ringBytes - 1)) >> 2;
    return this.#ringWords[index + 1] === KIND.padding
      ? (position + HEAD + this.#ringWords[index]!) | 0
      : position;
  }

  #tryTakeMany(most: number, deadline: number): unknown[] {
    const items: unknown[] = [];
    if (this.#seesNone()) return items;
    const { consumers } = this;
    if (!consumers.lock(deadline)) throw new QueueEmpty();
    const kinds: number[] = [];
    try {
      let { position } = consumers;
      const { large } = consumers;
      let bytes = 0;
      while (items.length < most && bytes < BATCH_BYTES) {
        const at = this.#first(position);
        if (at === -1) break;
        const offset = at & (this.#ringBytes - 1);
        const length = this.#ringWords[offset >> 2]!;
        const kind = this.#ringWords[(offset >> 2) + 1]!;
        if (kind >= LARGE) break;
        items.push(copyOut(kind, this.#ring, offset + HEAD, length));
        kinds.push(kind);
        position = (at + recordBytes(length)) | 0;
        bytes += length;
      }
      if (items.length > 0) {
        const count = (consumers.count + items.length) | 0;
        consumers.publish(position, count, large, consumers.closed);
      }
    } finally {
      consumers.unlock();
    }
    if (items.length === 0) {
      const item = this.#tryTake(deadline);
      if (item !== NOTHING && item !== BUSY) {
        items.push(complete(this.#kind, item));
      }
      return items;
    }
    for (const [index, kind] of kinds.entries()) {
      items[index] = complete(kind, items[index]);
    }
    return items;
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
      if (deadline === 0 || performance.now() >= deadline) return false;
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

function released(): TypeError {
  return new TypeError("Cannot use the queue as it was released");
}
