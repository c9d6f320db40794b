import { checkEach, describe } from "../../ffi/_arguments.ts";
import { signalNameOf, signalNumber } from "../../ffi/_signals.ts";
import type { Signal } from "../signals.ts";

/** Nobody can catch, block or ignore these two. */
const UNCATCHABLE: ReadonlySet<number> = new Set([9, 19]);

/** Faults of the program itself: a thread that goes on after one commits it again, for ever. */
const FAULTS: ReadonlySet<number> = new Set([4, 7, 8, 11]);

/** glibc keeps these two for its threads. */
const RESERVED: ReadonlySet<number> = new Set([32, 33]);

/** Whether a signal can be caught. */
export function mayCatch(number: number): boolean {
  return ![UNCATCHABLE, FAULTS, RESERVED].some((set) => set.has(number));
}

/** The number of a signal whose action can be set. */
export function settableSignal(signal: Signal | number, name: string): number {
  const number = signalNumber(signal, name);
  if (number === 0 || RESERVED.has(number)) {
    throw new RangeError(
      `'${name}' must be a signal: current value is ${describe(signal)}`,
    );
  }
  if (UNCATCHABLE.has(number)) {
    throw new TypeError(
      `'${name}' must be a signal that can be caught, which ${
        signalNameOf(number)
      } is not`,
    );
  }
  return number;
}

/** The number of a signal that can be caught, and gone on from. */
export function catchableSignal(signal: Signal | number, name: string): number {
  const number = settableSignal(signal, name);
  if (!FAULTS.has(number)) return number;
  throw new TypeError(
    `'${name}' must not be a fault, which ${
      signalNameOf(number)
    } is: the program would commit it again and again`,
  );
}

/** The numbers of several. */
export function catchableSignals(
  signals: readonly (Signal | number)[],
  name = "signals",
): number[] {
  return checkEach(signals, name, catchableSignal);
}
