import { signalNameOf } from "../../ffi/_signals.ts";
import { signalListeners } from "../_fork/signal_listeners.ts";
import {
  type Action,
  currentAction,
  handlerOf,
  isDefault,
  setAction,
} from "./actions.ts";

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
