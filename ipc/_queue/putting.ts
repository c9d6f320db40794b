import { QueueClosed, QueueFull } from "../queue_errors.ts";
import { Encoder, isPlainBytes, KIND, LARGE } from "./codec.ts";
import { isOver } from "./deadline.ts";
import { HEAD, recordBytes } from "./layout.ts";
import {
  BATCH_BYTES,
  BUSY,
  HALF,
  LARGE_BYTES,
  NOTHING,
  type Ring,
} from "./ring.ts";

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
