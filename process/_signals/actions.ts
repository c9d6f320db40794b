import { SIG_DFL, SIG_IGN } from "../../ffi/constants.ts";
import { SIGACTION } from "../../ffi/layouts.ts";
import { checkZero } from "../../ffi/_results.ts";
import {
  SA_ONSTACK,
  SA_RESTART,
  SA_SIGINFO,
} from "../../ffi/signal_constants.ts";
import { signalNameOf } from "../../ffi/_signals.ts";
import { signalSymbols } from "../../ffi/_symbols.ts";

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
export function isDefault(action: Action): boolean {
  const handler = new DataView(action.buffer).getBigUint64(sa_handler, true);
  return handler === BigInt(SIG_DFL);
}
