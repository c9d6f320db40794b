import { SIGNAL_NUMBERS } from "../ffi/_signals.ts";
import { SIGSET } from "../ffi/layouts.ts";

/** The signals of a program at its start. */
export interface ProgramSignals {
  /** Those that are blocked, as a `sigset_t`. */
  readonly blocked: Uint8Array<ArrayBuffer>;
  /** Those that are to have their default actions though they are ignored here, by number. */
  readonly reset: readonly number[];
}

/** A `sigset_t` of some signals, by number. */
export function signalSet(signals: Iterable<number>): Uint8Array<ArrayBuffer> {
  const set = new Uint8Array(new ArrayBuffer(SIGSET.size));
  for (const signal of signals) {
    const bit = signal - 1;
    set[bit >> 3]! |= 1 << (bit & 7);
  }
  return set;
}

/** What a program has if nothing else is asked for: SIGPIPE is ignored here by Deno itself, not by anybody's wish. */
export const PLAIN_SIGNALS: ProgramSignals = {
  blocked: signalSet([]),
  reset: [SIGNAL_NUMBERS.SIGPIPE],
};
