import { cString } from "../../ffi/_arguments.ts";
import {
  CallList,
  type CallResult,
  symbolAddresses,
} from "../../ffi/_call_list.ts";
import { errnoAddress } from "../../ffi/_libc.ts";
import { forkSymbols } from "../../ffi/_symbols.ts";
import { MADV_DOFORK, O_CLOEXEC, O_RDONLY } from "../../ffi/constants.ts";
import { ERRNO } from "../../ffi/errors.ts";
import { mappings } from "./proc_file.ts";

/** Adds to a list of calls what reads a file of /proc into memory, the rest of which is zeroed. Gives the call that tells how much it was. */
export function readFile(
  list: CallList,
  path: Uint8Array<ArrayBuffer>,
  into: Uint8Array<ArrayBuffer>,
): CallResult {
  const { close, memset, open, pread } = symbolAddresses();
  list.call(memset, into, 0, into.length);
  const fd = list.call(open, path, O_RDONLY | O_CLOEXEC, 0);
  const count = list.call(pread, fd, into, into.length, 0);
  list.call(close, fd);
  return count;
}

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
    const { memcpy, memmem, memset } = symbolAddresses();
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
    const { memcmp } = symbolAddresses();
    const comparison = this.#list.call(memcmp, now, then, size);
    const part = { now, then, comparison };
    this.#parts.push(part);
    return part;
  }
}

/** Nothing is ever mapped in the first page, and user space ends below this on both architectures. */
const FIRST = 4096n;
const END = (1n << 48n) - FIRST;

/** The fields of `/proc/self/statm` that say how much is mapped, and how much of it can be written: they change with a new mapping. */
const SIZE = 0;
const DATA = 5;

const STATM = cString("/proc/self/statm", "path");
const LINE = 128;

interface Range {
  readonly start: bigint;
  readonly length: bigint;
}

/** What the kernel says of a range. */
interface Treatment {
  readonly call: CallResult;
  readonly errno: Int32Array<ArrayBuffer>;
}

/**
 * The memory of the process, so that a fork copies all of it: V8 marks its whole heap `MADV_DONTFORK`, and a child
 * without a heap dies at its first line.
 *
 * What V8 maps between the look at `/proc/self/maps` and the fork would be missed, so whole ranges are treated, holes
 * included. Mappings that the kernel refuses to treat (its own `[vvar]`, a device's) end such a call early: the ranges
 * lie between those.
 */
export class AddressSpace {
  readonly #ranges: readonly Range[];
  readonly #before = new Uint8Array(new ArrayBuffer(LINE));
  readonly #after = new Uint8Array(new ArrayBuffer(LINE));
  #treatments: Treatment[] = [];

  /** Finds the mappings that are in the way, by trying each. */
  constructor() {
    const ranges: Range[] = [];
    let start = FIRST;
    for (const mapping of mappings()) {
      if (mapping.start >= END) break;
      if (treat(mapping.start, mapping.end - mapping.start) === 0) continue;
      ranges.push({ start, length: mapping.start - start });
      start = mapping.end;
    }
    ranges.push({ start, length: END - start });
    this.#ranges = ranges.filter(({ length }) => length > 0n);
  }

  /** Before the fork: puts all of it into that. */
  include(list: CallList): void {
    const { madvise, memcpy } = symbolAddresses();
    readFile(list, STATM, this.#before);
    this.#treatments = this.#ranges.map(({ start, length }) => {
      const call = list.call(madvise, start, length, MADV_DOFORK);
      const errno = new Int32Array(new ArrayBuffer(4));
      list.call(memcpy, new Uint8Array(errno.buffer), errnoAddress(), 4);
      return { call, errno };
    });
  }

  /** In the parent, after the fork: notes how much is mapped. */
  note(list: CallList): void {
    readFile(list, STATM, this.#after);
  }

  /** Whether nothing was in the way, so that all of it was in the fork. A new mapping may be, and then the others are to be found anew. */
  wasIncluded(list: CallList): boolean {
    return this.#treatments.every(({ call, errno }) =>
      // A hole makes the call give -1 and ENOMEM, yet all that is mapped has been treated.
      list.result(call) === 0 || errno[0] === ERRNO.ENOMEM
    );
  }

  /**
   * Whether nothing was mapped between the two. A page of the heap that V8 has taken in between would be missing in the child.
   */
  wasUnchanged(): boolean {
    return fieldOf(this.#before, SIZE) === fieldOf(this.#after, SIZE) &&
      fieldOf(this.#before, DATA) === fieldOf(this.#after, DATA);
  }
}

/** The number in a place of a line; -1 if there is none. */
function fieldOf(line: Uint8Array, place: number): number {
  let field = 0;
  let number = 0;
  for (const byte of line) {
    const digit = byte - 0x30;
    if (digit >= 0 && digit <= 9) {
      number = number * 10 + digit;
    } else if (field === place) {
      return number;
    } else {
      field++;
      number = 0;
    }
  }
  return -1;
}

function treat(start: bigint, length: bigint): number {
  return forkSymbols().madvise(start, length, MADV_DOFORK);
}
