import { SIGSET } from "../ffi/layouts.ts";

/** A `sigset_t` of some signals, by number. */
export function signalSet(signals: Iterable<number>): Uint8Array<ArrayBuffer> {
  const set = new Uint8Array(SIGSET.size);
  for (const signal of signals) {
    const bit = signal - 1;
    set[bit >> 3]! |= 1 << (bit & 7);
  }
  return set;
}
