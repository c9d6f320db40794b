import type { CallList, CallResult } from "../../ffi/_call_list.ts";
import { cString } from "../../ffi/_c_strings.ts";
import { MADV_DOFORK } from "../../ffi/constants.ts";
import { ERRNO } from "../../ffi/errno.ts";
import { errnoAddress } from "../../ffi/_errno.ts";
import { functionAddresses } from "../../ffi/_function_addresses.ts";
import { forkSymbols } from "../../ffi/_symbols.ts";
import { readFile } from "./file_reading.ts";
import { mappings } from "./own_memory.ts";

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
    const { madvise, memcpy } = functionAddresses();
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
