import {
  type CallArgument,
  type CallList,
  symbolAddresses,
} from "../../ffi/_call_list.ts";
import { SIG_SETMASK } from "../../ffi/constants.ts";

/** What it takes to block all signals: all of them, and room for the mask that is found. */
export interface SignalMasks {
  readonly all: CallArgument;
  readonly former: CallArgument;
}

/** By calls of the list: blocks every signal for the calling thread. */
export function blockSignals(
  list: CallList,
  { all, former }: SignalMasks,
): void {
  list.call(symbolAddresses().pthread_sigmask, SIG_SETMASK, all, former);
}

/** By calls of the list: puts the mask back that {@linkcode blockSignals} found. */
export function unblockSignals(
  list: CallList,
  { former }: Pick<SignalMasks, "former">,
): void {
  list.call(symbolAddresses().pthread_sigmask, SIG_SETMASK, former, 0);
}
