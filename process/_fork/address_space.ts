import { MADV_DOFORK } from "../../ffi/constants.ts";
import { ERRNO } from "../../ffi/errno.ts";
import { readErrno } from "../../ffi/_errno.ts";
import { forkSymbols } from "../../ffi/_symbols.ts";
import { readProc } from "./proc_file.ts";

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
  #ranges: readonly Range[] | undefined;

  /** Finds the mappings that are in the way, where that is not known (any more), by trying each. */
  survey(): void {
    if (this.#ranges !== undefined) return;
    const ranges: Range[] = [];
    let start = FIRST;
    for (const mapping of mappings()) {
      if (treat(mapping.start, mapping.length) === 0) continue;
      ranges.push({ start, length: mapping.start - start });
      start = mapping.start + mapping.length;
    }
    ranges.push({ start, length: END - start });
    this.#ranges = ranges.filter(({ length }) => length > 0n);
  }

  /** Puts all of it into the next fork, without allocating. Gives false where a new mapping is in the way. */
  include(): boolean {
    for (const { start, length } of this.#ranges ?? []) {
      // A hole makes the call give -1 and ENOMEM, yet all that is mapped has been treated.
      if (treat(start, length) === 0 || readErrno() === ERRNO.ENOMEM) continue;
      this.#ranges = undefined;
      return false;
    }
    return true;
  }
}

function treat(start: bigint, length: bigint): number {
  return forkSymbols().madvise(start, length, MADV_DOFORK);
}

/** The mappings below the end of user space, lowest first. */
function mappings(): Range[] {
  return readProc("/proc/self/maps").trimEnd().split("\n").map((line) => {
    const [start, end] = line.slice(0, line.indexOf(" ")).split("-")
      .map((address) => BigInt(`0x${address}`));
    return { start: start!, length: end! - start! };
  }).filter(({ start }) => start < END);
}
