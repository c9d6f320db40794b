import { QueueClosed, QueueEmpty, QueueFull } from "../queue_errors.ts";
import {
  complete,
  copyBytes,
  copyOut,
  Encoder,
  isPlainBytes,
  KIND,
  LARGE,
} from "./codec.ts";
import {
  BATCH_BYTES,
  BUSY,
  HALF,
  LARGE_BYTES,
  NOTHING,
  type Ring,
} from "./ring.ts";
import { HEAD, recordBytes } from "./segment.ts";
import { isOver } from "./side.ts";

/** Up to so many bytes, a loop is faster than a call. */
const SHORT = 256;

/** From so many bytes on, copying once more is worth to be avoided. */
const LONG = 4096;

/** What producers do: everything is written to where nobody looks yet, and then published. */
export class Putting {
  readonly #ring: Ring;
  #encoder: Encoder | undefined = new Encoder();

  constructor(ring: Ring) {
    this.#ring = ring;
  }

  put(item: unknown, deadline: number): void {
    this.#ring.check();
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
    this.#ring.check();
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
    if (!this.#ring.producers.tryLock()) return BUSY;
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

  #awaitRoom(deadline: number): void {
    if (!this.#roomBefore(deadline)) throw new QueueFull();
  }

  /** Waits for somebody to get something; gives false if the time is over. */
  #roomBefore(deadline: number): boolean {
    if (isOver(deadline)) return false;
    this.#ring.consumers.wait(deadline);
    this.#ring.check();
    return true;
  }

  #tryBytes(item: Uint8Array, deadline: number): boolean {
    const { producers } = this.#ring;
    if (!producers.lock(deadline)) return false;
    try {
      this.#checkClosed();
      if (item.length > this.#ring.mostBytes) {
        return this.#putLarge(item, KIND.bytes);
      }
      const at = this.#room(recordBytes(item.length));
      if (at === -1) return false;
      const offset = at & (this.#ring.size - 1);
      this.#ring.words[offset >> 2] = item.length;
      this.#ring.words[(offset >> 2) + 1] = KIND.bytes;
      this.#ring.bytes.set(item, offset + HEAD);
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
    return this.#ring.producers.lock(deadline)
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
      this.#ring.producers.unlock();
    }
  }

  /** Puts some records, and publishes them. */
  #putBatch(encoder: Encoder, from: number, end: number): number {
    const { producers } = this.#ring;
    const { words } = encoder;
    let { position, count } = producers;
    let at = from;
    while (at < end && at - from < BATCH_BYTES) {
      const length = words[at >> 2]! >>> 0;
      const size = recordBytes(length);
      if (length > this.#ring.mostBytes) {
        // One that fails is to fail alone: those before it are published first.
        if (at > from) break;
        const content = encoder.bytes.subarray(at + HEAD, at + HEAD + length);
        return this.#putLarge(content, words[(at >> 2) + 1]!) ? at + size : at;
      }
      const place = this.#roomAt(position, count, size);
      if (place === -1) break;
      this.#copyIn(encoder, at, size, place & (this.#ring.size - 1));
      position = (place + size) | 0;
      count = (count + 1) | 0;
      at += size;
    }
    if (at > from) producers.publish(position, count, producers.large, 0);
    return at;
  }

  /** Puts one large item if there is room for it. */
  #putLarge(content: Uint8Array, kind: number): boolean {
    const { producers } = this.#ring;
    const { length } = content;
    const at = this.#room(LARGE_BYTES + HEAD);
    if (at === -1) return false;
    const where = this.#placeLarge(length);
    if (where === null) return false;
    this.#ring.large.write(where.start, content);
    const index = (at & (this.#ring.size - 1)) >> 2;
    this.#ring.words[index] = LARGE_BYTES;
    this.#ring.words[index + 1] = kind | LARGE;
    this.#ring.words[index + 2] = where.end;
    this.#ring.words[index + 3] = where.start;
    this.#ring.words[index + 4] = length % HALF;
    this.#ring.words[index + 5] = Math.floor(length / HALF);
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
      this.#ring.bytes.set(encoder.bytes.subarray(from, from + size), to);
      return;
    }
    const source = from >> 2;
    const target = to >> 2;
    for (let i = 0; i < size >> 2; i++) {
      this.#ring.words[target + i] = encoder.words[source + i]!;
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
    if (this.#ring.producers.closed !== 0) throw new QueueClosed();
  }

  #room(size: number): number {
    return this.#roomAt(
      this.#ring.producers.position,
      this.#ring.producers.count,
      size,
    );
  }

  /** Where in the ring a record goes that comes after so much and so many others; -1 if there is no room. */
  #roomAt(position: number, count: number, size: number): number {
    const { consumers } = this.#ring;
    const offset = position & (this.#ring.size - 1);
    const rest = this.#ring.size - offset;
    const needed = rest < size ? rest + size : size;
    if (consumers.outdated || !this.#fits(position, count, needed)) {
      consumers.refresh();
      if (!this.#fits(position, count, needed)) return -1;
    }
    if (needed === size) return position;
    this.#ring.words[offset >> 2] = rest - HEAD;
    this.#ring.words[(offset >> 2) + 1] = KIND.padding;
    return (position + rest) | 0;
  }

  /** Where a large item goes; `null` if there is no room. */
  #placeLarge(bytes: number): { start: number; end: number } | null {
    const { producers, consumers } = this.#ring;
    const place = this.#ring.large.place(
      bytes,
      producers.large,
      consumers.large,
    );
    if (place !== null) return place;
    consumers.refresh();
    return this.#ring.large.place(bytes, producers.large, consumers.large);
  }

  #fits(position: number, count: number, needed: number): boolean {
    const { consumers, maxsize } = this.#ring;
    const used = (position - consumers.position) | 0;
    return needed <= this.#ring.size - used &&
      (maxsize === 0 || ((count - consumers.count) | 0) < maxsize);
  }
}

/** What consumers do: an item is copied to where it is nobody else's, and then published as taken. */
export class Getting {
  readonly #ring: Ring;
  /** The kind of the item that was taken last. */
  #kind = 0;

  constructor(ring: Ring) {
    this.#ring = ring;
  }

  get(deadline: number, into?: Uint8Array): unknown {
    this.#ring.check();
    for (;;) {
      const content = this.#tryTake(deadline, into);
      if (content === BUSY) throw new QueueEmpty();
      if (content !== NOTHING) return complete(this.#kind, content);
      if (this.#ring.producers.closed !== 0) throw new QueueClosed();
      this.#awaitItem(deadline);
    }
  }

  getMany(most: number, deadline: number): unknown[] {
    this.#ring.check();
    for (;;) {
      const items = this.#tryTakeMany(most, deadline);
      if (items.length > 0) return items;
      if (this.#ring.producers.closed !== 0) throw new QueueClosed();
      this.#awaitItem(deadline);
    }
  }

  /** Gets an item if there is one and nobody else is getting one. */
  tryGet(into?: Uint8Array): unknown | typeof NOTHING | typeof BUSY {
    if (this.#seesNone()) {
      if (this.#ring.producers.closed !== 0) throw new QueueClosed();
      return NOTHING;
    }
    if (!this.#ring.consumers.tryLock()) return BUSY;
    const content = this.#takeAndUnlock(into);
    if (content !== NOTHING) return complete(this.#kind, content);
    if (this.#ring.producers.closed !== 0) throw new QueueClosed();
    return NOTHING;
  }

  #awaitItem(deadline: number): void {
    if (isOver(deadline)) throw new QueueEmpty();
    this.#ring.producers.wait(deadline);
    this.#ring.check();
  }

  /** Whether nothing is there, as far as can be seen without the lock. */
  #seesNone(): boolean {
    const { producers, consumers } = this.#ring;
    // What was there when last looked at is there still, unless somebody else got it. That is seen with the lock.
    if (producers.position !== consumers.position) return false;
    producers.refresh();
    consumers.refresh();
    return producers.position === consumers.position;
  }

  #tryTake(deadline: number, into?: Uint8Array): unknown {
    if (this.#seesNone()) return NOTHING;
    if (!this.#ring.consumers.lock(deadline)) return BUSY;
    return this.#takeAndUnlock(into);
  }

  #takeAndUnlock(into?: Uint8Array): unknown {
    const { consumers } = this.#ring;
    try {
      const at = this.#first(consumers.position);
      if (at === -1) return NOTHING;
      const offset = at & (this.#ring.size - 1);
      const length = this.#ring.words[offset >> 2]!;
      const kind = this.#ring.words[(offset >> 2) + 1]!;
      const after = (at + recordBytes(length)) | 0;
      if (kind >= LARGE) return this.#takeLarge(offset, kind, after, into);
      const { bytes } = this.#ring;
      const content = kind === KIND.bytes
        ? copyBytes(bytes, offset + HEAD, length, into)
        : copyOut(kind, bytes, offset + HEAD, length);
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
  #takeLarge(
    offset: number,
    kind: number,
    after: number,
    into?: Uint8Array,
  ): unknown {
    const { consumers, producers } = this.#ring;
    const index = offset >> 2;
    const end = this.#ring.words[index + 2]!;
    const start = this.#ring.words[index + 3]!;
    const length = (this.#ring.words[index + 4]! >>> 0) +
      this.#ring.words[index + 5]! * HALF;
    const isBytes = kind === KIND.bytes + LARGE;
    const bytes = this.#ring.large
      .read(start, length, isBytes ? into : undefined);
    const count = (consumers.count + 1) | 0;
    consumers.publish(after, count, end, consumers.closed);
    if (length > this.#ring.size && producers.tryLock()) {
      if (producers.large === end) this.#ring.large.free();
      producers.unlock();
    }
    this.#kind = kind - LARGE;
    return this.#kind === KIND.bytes || this.#kind === KIND.v8
      ? bytes
      : copyOut(this.#kind, bytes, 0, length);
  }

  /** Where the record is that comes next; -1 if there is none. */
  #first(position: number): number {
    const { producers } = this.#ring;
    if (producers.outdated || producers.position === position) {
      producers.refresh();
      if (producers.position === position) return -1;
    }
    const index = (position & (this.#ring.size - 1)) >> 2;
    return this.#ring.words[index + 1] === KIND.padding
      ? (position + HEAD + this.#ring.words[index]!) | 0
      : position;
  }

  #tryTakeMany(most: number, deadline: number): unknown[] {
    const items: unknown[] = [];
    if (this.#seesNone()) return items;
    const { consumers } = this.#ring;
    if (!consumers.lock(deadline)) throw new QueueEmpty();
    const kinds: number[] = [];
    try {
      let { position } = consumers;
      const { large } = consumers;
      let bytes = 0;
      while (items.length < most && bytes < BATCH_BYTES) {
        const at = this.#first(position);
        if (at === -1) break;
        const offset = at & (this.#ring.size - 1);
        const length = this.#ring.words[offset >> 2]!;
        const kind = this.#ring.words[(offset >> 2) + 1]!;
        if (kind >= LARGE) break;
        items.push(copyOut(kind, this.#ring.bytes, offset + HEAD, length));
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
}
