import { MADV_DOFORK } from "../../ffi/constants.ts";
import { ERRNO } from "../../ffi/errno.ts";
import { readErrno } from "../../ffi/_errno.ts";
import { forkSymbols } from "../../ffi/_symbols.ts";
import { mappings } from "./own_memory.ts";
import { closeProc, openProc, rereadProc } from "./proc_file.ts";

/** Nothing is ever mapped in the first page, and user space ends below this on both architectures. */
const FIRST = 4096n;
const END = (1n << 48n) - FIRST;

/** The fields of `/proc/self/statm` that say how much is mapped, and how much of it can be written: they change with a new mapping. */
const SIZE = 0;
const DATA = 5;

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
  #ranges: readonly Range[] | undefined;
  #statm = -1;
  readonly #line = new Uint8Array(new ArrayBuffer(128));
  #size = 0;
  #data = 0;

  /** Finds the mappings that are in the way, where that is not known (any more), by trying each. */
  survey(): void {
    if (this.#statm === -1) this.#statm = openProc("/proc/self/statm");
    if (this.#ranges !== undefined) return;
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

  /** Puts all of it into the next fork, without allocating. Gives false where a new mapping is in the way. */
  include(): boolean {
    this.#note();
    for (const { start, length } of this.#ranges ?? []) {
      // A hole makes the call give -1 and ENOMEM, yet all that is mapped has been treated.
      if (treat(start, length) === 0 || readErrno() === ERRNO.ENOMEM) continue;
      this.#ranges = undefined;
      return false;
    }
    return true;
  }

  /**
   * Whether nothing has been mapped since {@linkcode include}; allocates nothing. A page of the heap that V8 has taken in
   * between, for a function that it has just compiled perhaps, would be missing in the child.
   */
  unchanged(): boolean {
    const size = this.#size;
    const data = this.#data;
    this.#note();
    return this.#size === size && this.#data === data;
  }

  /** Closes what the survey has opened: it is this process's, not the child's. */
  close(): void {
    closeProc(this.#statm);
    this.#statm = -1;
  }

  #note(): void {
    const length = rereadProc(this.#statm, this.#line);
    let field = 0;
    let number = 0;
    for (let at = 0; at < length && field <= DATA; at++) {
      const digit = this.#line[at]! - 0x30;
      if (digit >= 0) {
        number = number * 10 + digit;
        continue;
      }
      if (field === SIZE) this.#size = number;
      if (field === DATA) this.#data = number;
      field++;
      number = 0;
    }
  }
}

function treat(start: bigint, length: bigint): number {
  return forkSymbols().madvise(start, length, MADV_DOFORK);
}
