import { QueueClosed, QueueEmpty } from "../queue_errors.ts";
import { complete, copyBytes, copyOut, KIND, LARGE } from "./codec.ts";
import { isOver } from "./deadline.ts";
import { HEAD, recordBytes } from "./layout.ts";
import { BATCH_BYTES, BUSY, HALF, NOTHING, type Ring } from "./ring.ts";

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
