import { checkInteger, wrongType } from "../ffi/_arguments.ts";
import {
  MAP_ANONYMOUS,
  MAP_SHARED,
  PROT_READ,
  PROT_WRITE,
} from "../ffi/constants.ts";
import {
  mapMemory,
  type Mapping,
  mappingOf,
  unmapMemory,
} from "../ffi/_memory.ts";
import { SharedMemory } from "./shared_memory.ts";

/** Where in shared memory something lies that processes have in common. */
export interface SharedPlacement {
  /**
   * The memory, which stays the caller's. What lies in it for the first time must find it filled with zeros.
   *
   * @default Memory of its own, shared with the processes that are forked from then on
   */
  memory?: SharedMemory;
  /**
   * Where in the memory it begins: a multiple of 8.
   *
   * @default 0
   */
  offset?: number;
}

/** A piece of shared memory, found again where it was mapped anew. */
export class SharedPlace {
  readonly #name: string;
  readonly #memory: SharedMemory | undefined;
  readonly #bytes: number;
  #closed = false;
  /** Where it begins in the mapping. */
  readonly offset: number;
  /** The mapping it lies in. */
  mapping: Mapping;
  /** The piece itself. */
  words: Int32Array<ArrayBuffer>;

  /** `name` is what it is called in messages. */
  constructor(name: string, bytes: number, placement: SharedPlacement) {
    const { memory, offset = 0 } = placement;
    if (memory !== undefined && !(memory instanceof SharedMemory)) {
      throw wrongType(memory, "memory", "a SharedMemory");
    }
    const room = memory === undefined ? 0 : memory.buffer.byteLength - bytes;
    if (room < 0) {
      throw new RangeError(
        `'memory' must have at least ${bytes} bytes: current value is ${
          room + bytes
        }`,
      );
    }
    checkInteger(offset, "offset", 0, room);
    if (offset % 8 !== 0) {
      throw new RangeError(
        `'offset' must be a multiple of 8: current value is ${offset}`,
      );
    }
    this.#name = name;
    this.#memory = memory;
    this.#bytes = bytes;
    this.offset = offset;
    const buffer = memory?.buffer ?? mapMemory(
      -1,
      bytes,
      PROT_READ | PROT_WRITE,
      MAP_SHARED | MAP_ANONYMOUS,
      0,
      () => `Cannot make the ${name}`,
    );
    this.mapping = mappingOf(buffer);
    this.words = this.#wordsOf(buffer);
  }

  /** Whether it can no longer be used. */
  get closed(): boolean {
    return this.#closed || (this.#memory?.closed ?? false);
  }

  /** Whether {@linkcode SharedPlace.renew} has to be called before anything is touched. */
  get stale(): boolean {
    return this.#closed || this.mapping.detached;
  }

  /** Finds the piece again; throws if it is gone. */
  renew(action: string): void {
    if (this.closed) {
      const what = this.#closed ? "it" : "its memory";
      throw new TypeError(
        `Cannot ${action} the ${this.#name}: ${what} is closed`,
      );
    }
    if (!this.mapping.detached) return;
    const { buffer } = this.#memory!;
    if (buffer.byteLength < this.offset + this.#bytes) {
      throw new TypeError(
        `Cannot ${action} the ${this.#name}: its memory was cut off`,
      );
    }
    this.mapping = mappingOf(buffer);
    this.words = this.#wordsOf(buffer);
  }

  /** Ends its use in this process. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    if (this.#memory === undefined) unmapMemory(this.mapping.buffer);
  }

  #wordsOf(buffer: ArrayBuffer): Int32Array<ArrayBuffer> {
    return new Int32Array(buffer, this.offset, Math.floor(this.#bytes / 4));
  }
}
