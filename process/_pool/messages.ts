import type { PortableError } from "../_portable_error.ts";
import type { Packed } from "./values.ts";

/** What a worker is given to do: some items of one call, one after the other. */
export interface Task {
  readonly chunk: number;
  /** The position of the first item among all of the call. */
  readonly first: number;
  readonly items: Packed;
}

/** What a worker has made of its items. */
export interface Report {
  readonly chunk: number;
  /** How long it took, in milliseconds. */
  readonly milliseconds: number;
  /** A result for each item; `undefined` for those that failed. */
  readonly results: Packed;
  /** The items that failed, by their position among these. */
  readonly failures: ReadonlyMap<number, PortableError>;
}

/** Where each worker is, in memory that is shared: what a worker that was killed can no longer tell. */
export class Whereabouts {
  static readonly BYTES_PER_WORKER = 8;
  readonly #words: Int32Array<ArrayBuffer>;

  constructor(memory: ArrayBuffer) {
    this.#words = new Int32Array(memory);
  }

  /** In a worker: it begins with an item. The chunk last, or a new one would be taken to be where the old one was. */
  enter(slot: number, chunk: number, item: number): void {
    Atomics.store(this.#words, slot * 2 + 1, item);
    Atomics.store(this.#words, slot * 2, chunk);
  }

  /** In the parent: at which item of the chunk the worker is, or was when it ended; `undefined` if it has not begun with the chunk. */
  find(slot: number, chunk: number): number | undefined {
    if (Atomics.load(this.#words, slot * 2) !== chunk) return undefined;
    return Atomics.load(this.#words, slot * 2 + 1);
  }
}
