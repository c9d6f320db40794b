import { checkEach, describe } from "../../ffi/_arguments.ts";
import { checkZero } from "../../ffi/_libc.ts";
import { signalNameOf, signalNumber } from "../../ffi/_signals.ts";
import { signalSymbols } from "../../ffi/_symbols.ts";
import {
  SA_ONSTACK,
  SA_RESTART,
  SA_SIGINFO,
  SI_MESGQ,
  SI_QUEUE,
  SI_TIMER,
  SI_TKILL,
  SI_USER,
  SIG_DFL,
  SIG_IGN,
} from "../../ffi/constants.ts";
import { SIGACTION, SIGINFO } from "../../ffi/layouts.ts";
import { signalListeners } from "../_fork/signal_listeners.ts";
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

/** What is told of a signal that was taken by {@linkcode sigwait} or {@linkcode signals}: `siginfo_t` of C. */
export interface SignalInfo {
  /** Its name. */
  signal: Signal;
  /** Its number. */
  number: number;
  /** Where it comes from: `SI_USER` (0) for `kill`, `SI_QUEUE` (-1) for `sigqueue`, above 0 for the kernel. */
  code: number;
  /** The process that has sent it, or the child that a SIGCHLD is about; `null` where it comes from no process. */
  pid: number | null;
  /** The real user id of that process; `null` as for `pid`. */
  uid: number | null;
  /** The number that `sigqueue` or a POSIX timer has sent along; `null` for all others. */
  value: number | null;
}

const SIGCHLD = 17;
const AT = SIGINFO.fields;

/** The number of the signal that a `siginfo_t` tells of. */
export function numberIn(info: Uint8Array): number {
  return info[AT.si_signo]!;
}

/** Reads a `siginfo_t`. */
export function decodeSignal(info: Uint8Array): SignalInfo {
  const view = new DataView(info.buffer, info.byteOffset, info.byteLength);
  const number = view.getInt32(AT.si_signo, true);
  const code = view.getInt32(AT.si_code, true);
  const fromProcess = code === SI_USER || code === SI_QUEUE ||
    code === SI_TKILL || code === SI_MESGQ ||
    (code > SI_USER && number === SIGCHLD);
  const hasValue = code === SI_QUEUE || code === SI_TIMER || code === SI_MESGQ;
  return {
    signal: signalNameOf(number) as Signal,
    number,
    code,
    pid: fromProcess ? view.getInt32(AT.si_pid, true) : null,
    uid: fromProcess ? view.getUint32(AT.si_uid, true) : null,
    value: hasValue ? view.getInt32(AT.si_value, true) : null,
  };
}

/** A `struct sigaction`. */
export type Action = Uint8Array<ArrayBuffer>;

const { sa_handler, sa_mask, sa_flags } = SIGACTION.fields;

/** What is done with a signal now. */
export function currentAction(signal: number): Action {
  const action = new Uint8Array(SIGACTION.size);
  sigaction(signal, null, action);
  return action;
}

/** Sets what is done with a signal, and gives what was done. */
export function setAction(signal: number, action: Action): Action {
  const former = new Uint8Array(SIGACTION.size);
  sigaction(signal, action, former);
  return former;
}

function sigaction(
  signal: number,
  action: Action | null,
  former: Action,
): void {
  checkZero(
    signalSymbols().sigaction(signal, action, former),
    "sigaction",
    () => `Cannot set what ${signalNameOf(signal)} does`,
  );
}

/** `SIG_DFL` or `SIG_IGN`. */
export function plainAction(disposition: number): Action {
  const action = new Uint8Array(SIGACTION.size);
  new DataView(action.buffer).setBigUint64(
    sa_handler,
    BigInt(disposition),
    true,
  );
  return action;
}

/** An action that calls a handler with all that there is to tell, while all signals of its thread are blocked. */
export function handlerAction(handler: bigint): Action {
  const action = new Uint8Array(SIGACTION.size);
  const view = new DataView(action.buffer);
  view.setBigUint64(sa_handler, handler, true);
  action.fill(0xff, sa_mask, sa_flags);
  view.setInt32(sa_flags, SA_SIGINFO | SA_RESTART | SA_ONSTACK, true);
  return action;
}

/** The handler of an action; 0 for the default one, and for none at all. */
export function handlerOf(action: Action): bigint {
  const handler = new DataView(action.buffer).getBigUint64(sa_handler, true);
  return handler <= BigInt(SIG_IGN) ? 0n : handler;
}

/** Whether an action is the default one. */
function isDefault(action: Action): boolean {
  const handler = new DataView(action.buffer).getBigUint64(sa_handler, true);
  return handler === BigInt(SIG_DFL);
}

const FIRST_REAL_TIME = 34;

/** Keeps a handler that another action has replaced, until a listener needs it. */
export function displace(signal: number, former: Action, action: Action): void {
  if (handlerOf(former) === handlerOf(action)) return;
  signalListeners.displaced.set(signal, former);
}

/**
 * Whether Deno's handler, when nobody listens, does what a signal would do without it: it does so for defaults. It is better
 * left in place then, for whoever adds a listener by another copy of this library, such as the next file of a test run.
 */
export function denoActsFor(action: Action): boolean {
  return !signalListeners.inChild && isDefault(action);
}

/** Where nobody listens any more: puts a handler of Deno back that was replaced by the default. */
export function putBack(signal: number): void {
  const action = signalListeners.displaced.get(signal);
  if (action === undefined || !denoActsFor(currentAction(signal))) return;
  signalListeners.displaced.delete(signal);
  setAction(signal, action);
}

/** Adds a listener to Deno that does nothing; gives `undefined` for a signal that Deno does not know. */
export function keepDenosHandler(signal: number): (() => void) | undefined {
  if (signal >= FIRST_REAL_TIME) return undefined;
  const listener = () => {};
  try {
    Deno.addSignalListener(nameForDeno(signal), listener);
    return listener;
  } catch {
    return undefined;
  }
}

/** Takes that listener back. */
export function leaveDenosHandler(
  signal: number,
  listener: (() => void) | undefined,
): void {
  if (listener === undefined) return;
  Deno.removeSignalListener(nameForDeno(signal), listener);
}

function nameForDeno(signal: number): Deno.Signal {
  return signalNameOf(signal) as Deno.Signal;
}
