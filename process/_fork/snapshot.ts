import { CallList, type CallResult } from "../../ffi/_call_list.ts";
import { cString } from "../../ffi/_c_strings.ts";
import { functionAddresses } from "../../ffi/_function_addresses.ts";
import { readFile } from "./file_reading.ts";

type Bytes = Uint8Array<ArrayBuffer>;

/** One thing that is looked at. */
export interface Part {
  /** How it was at the latest look. */
  readonly now: Bytes;
  /** What that is compared with. */
  readonly then: Bytes;
  readonly comparison: CallResult;
}

/**
 * What files of /proc say at one moment, read and compared with what they said at another, by calls that nothing comes between.
 */
export class Snapshot {
  readonly #list = new CallList();
  readonly #parts: Part[] = [];

  /** Has a file compared of no more than `size` bytes. */
  addFile(path: string, size: number): Part {
    return this.#compare(size, (now) => {
      readFile(this.#list, cString(path, "path"), now);
    });
  }

  /** Has parts of a file compared of no more than `size` bytes: each begins with a text, and goes on for so many bytes. */
  addParts(
    path: string,
    size: number,
    parts: readonly (readonly [start: string, length: number])[],
  ): Part[] {
    const { memcpy, memmem, memset } = functionAddresses();
    const file = new Uint8Array(new ArrayBuffer(size));
    readFile(this.#list, cString(path, "path"), file);
    return parts.map(([start, length]) => {
      const text = cString(start, "start");
      const startLength = text.length - 1;
      return this.#compare(startLength + length, (now) => {
        this.#list.call(memset, now, 0, now.length);
        const found = this.#list.call(memmem, file, size, text, startLength);
        this.#list.unlessZero(found, () => {
          this.#list.call(memcpy, now, found, now.length);
        });
      });
    });
  }

  /** Takes what is now for what is to be compared with. */
  take(): void {
    this.#list.run();
    for (const { now, then } of this.#parts) then.set(now);
  }

  /** Looks how it is now. */
  look(): void {
    this.#list.run();
  }

  /** Whether a part was the same at the latest look. */
  isSame({ comparison }: Part): boolean {
    return this.#list.result(comparison) === 0;
  }

  #compare(size: number, read: (now: Bytes) => void): Part {
    const now = new Uint8Array(new ArrayBuffer(size));
    const then = new Uint8Array(new ArrayBuffer(size));
    read(now);
    const { memcmp } = functionAddresses();
    const comparison = this.#list.call(memcmp, now, then, size);
    const part = { now, then, comparison };
    this.#parts.push(part);
    return part;
  }
}
