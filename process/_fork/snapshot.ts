import { cString } from "../../ffi/_arguments.ts";
import {
  CallList,
  callMemory,
  int,
  symbolAddresses,
} from "../../ffi/_call_list.ts";
import { errnoAddress } from "../../ffi/_libc.ts";
import { forkSymbols } from "../../ffi/_symbols.ts";
import { MADV_DOFORK, O_CLOEXEC, O_RDONLY } from "../../ffi/constants.ts";
import { ERRNO } from "../../ffi/errors.ts";
import { mappings } from "./proc_file.ts";
import { NOTE_SIZE } from "./thread.ts";

type Bytes = Uint8Array<ArrayBuffer>;

/** Adds to a list of calls what reads a file of /proc into memory, the rest of which is zeroed. */
function readFile(list: CallList, path: Bytes, into: Bytes): void {
  const { close, memset, open, pread } = symbolAddresses();
  list.call(memset, into, 0, into.length);
  const fd = list.call(open, path, O_RDONLY | O_CLOEXEC, 0);
  list.call(pread, fd, into, into.length, 0);
  list.call(close, fd);
}

/** One thing that is looked at. */
export interface Part {
  /** How it was at the latest look. */
  readonly now: Bytes;
  /** What that is compared with. */
  readonly then: Bytes;
  /** Whether that is always the same, and not taken from a look. */
  isFixed: boolean;
}

/** Some things that are looked at together. */
interface Look {
  /** Adds to a list of calls what reads them. */
  readonly read: (list: CallList) => void;
  readonly parts: readonly Part[];
}

/**
 * What files of /proc say at one moment, read and compared with what they said at another, by calls that nothing comes between.
 */
export class Snapshot {
  readonly #reading = new CallList();
  readonly #looks: Look[] = [];

  /** Has a file compared of no more than `size` bytes. */
  addFile(path: string, size: number): Part {
    const [part] = this.#add([size], (list, [now]) => {
      readFile(list, cString(path, "path"), now!);
    });
    return part!;
  }

  /** Has a clock compared. */
  addClock(clock: number): Part {
    const { clock_gettime, memset } = symbolAddresses();
    const [part] = this.#add([NOTE_SIZE], (list, [now]) => {
      list.call(memset, now!, 0, now!.length);
      list.call(clock_gettime, clock, now!);
    });
    return part!;
  }

  /**
   * Has parts of a file compared of no more than `size` bytes: each begins with a text, and goes on for so many bytes. Where those are
   * none, it is the text that is to be there, whether it was or not.
   */
  addParts(
    path: string,
    size: number,
    parts: readonly (readonly [start: string, length: number])[],
  ): Part[] {
    const { memcpy, memmem, memset } = symbolAddresses();
    const file = new Uint8Array(new ArrayBuffer(size));
    const starts = parts.map(([start]) => cString(start, "start"));
    const lengths = parts.map(([start, length]) => start.length + length);
    const added = this.#add(lengths, (list, nows) => {
      readFile(list, cString(path, "path"), file);
      for (const [index, now] of nows.entries()) {
        const start = starts[index]!;
        list.call(memset, now, 0, now.length);
        const found = list.call(memmem, file, size, start, start.length - 1);
        list.unlessZero(found, () => {
          list.call(memcpy, now, found, now.length);
        });
      }
    });
    for (const [index, [start, length]] of parts.entries()) {
      if (length > 0) continue;
      const part = added[index]!;
      part.isFixed = true;
      part.then.set(new TextEncoder().encode(start));
    }
    return added;
  }

  /** Takes what is now for what is to be compared with. */
  take(): void {
    this.#reading.run();
    for (const { parts } of this.#looks) {
      for (const { now, then, isFixed } of parts) if (!isFixed) then.set(now);
    }
  }

  /** Adds to another list a look at some parts, and what is read together with them; the list ends there if one is not the same. */
  lookIn(list: CallList, some: ReadonlySet<Part>): void {
    const { memcmp } = symbolAddresses();
    for (const { read, parts } of this.#looks) {
      if (!parts.some((part) => some.has(part))) continue;
      read(list);
      for (const { now, then } of parts) {
        list.endUnlessZero(list.call(memcmp, now, then, now.length));
      }
    }
  }

  #add(
    sizes: readonly number[],
    readInto: (list: CallList, nows: readonly Bytes[]) => void,
  ): Part[] {
    const parts = sizes.map((size): Part => ({
      now: callMemory(size),
      then: new Uint8Array(new ArrayBuffer(size)),
      isFixed: false,
    }));
    const nows = parts.map(({ now }) => now);
    const read = (list: CallList) => readInto(list, nows);
    read(this.#reading);
    this.#looks.push({ read, parts });
    return parts;
  }
}

/** Nothing is ever mapped in the first page, and user space ends below this on both architectures. */
const FIRST = 4096n;
const END = (1n << 48n) - FIRST;

interface Range {
  readonly start: bigint;
  readonly length: bigint;
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
  readonly #errno = callMemory(4);

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

  /**
   * By calls of the list, before the fork: puts all of it into that. The list ends where something is in the way: a new mapping may
   * be, and then the others are to be found anew.
   */
  include(list: CallList): void {
    const { madvise, memcmp, memcpy } = symbolAddresses();
    for (const { start, length } of this.#ranges) {
      list.unlessZero(list.call(madvise, start, length, MADV_DOFORK), () => {
        list.call(memcpy, this.#errno, errnoAddress(), 4);
        list.endUnlessZero(list.call(memcmp, this.#errno, HOLE, 4));
      });
    }
  }
}

/** A hole makes the call give that, yet all that is mapped has been treated. */
const HOLE = int(ERRNO.ENOMEM);

function treat(start: bigint, length: bigint): number {
  return forkSymbols().madvise(start, length, MADV_DOFORK);
}
