import type { CallList } from "../../ffi/_call_list.ts";
import { SIG_DFL, SIG_SETMASK } from "../../ffi/constants.ts";
import { functionAddresses } from "../../ffi/_function_addresses.ts";
import { SIGACTION, SIGSET } from "../../ffi/layouts.ts";
import { checkErrorNumber } from "../../ffi/_results.ts";
import { signalSymbols } from "../../ffi/_symbols.ts";
import { readProc } from "./proc_file.ts";

const all = new Uint8Array(new ArrayBuffer(SIGSET.size)).fill(0xff);
const former = new Uint8Array(new ArrayBuffer(SIGSET.size));

/** By calls of the list: blocks every signal for the calling thread. */
export function blockSignals(list: CallList): void {
  list.call(functionAddresses().pthread_sigmask, SIG_SETMASK, all, former);
}

/** By calls of the list: puts the mask back that {@linkcode blockSignals} found. */
export function unblockSignals(list: CallList): void {
  list.call(functionAddresses().pthread_sigmask, SIG_SETMASK, former, 0);
}

/** The same at once. */
export function restoreSignals(): void {
  checkErrorNumber(
    signalSymbols().pthread_sigmask(SIG_SETMASK, former, null),
    "pthread_sigmask",
    () => "Cannot set the signal mask",
  );
}

/**
 * Signals whose handlers a forked child keeps: those of faults, by which the runtime explains a crash, and SIGCHLD, which
 * is caught by tokio itself, without a thread, on behalf of `Deno.Command`.
 */
const KEPT: ReadonlySet<number> = new Set([
  4, // SIGILL
  5, // SIGTRAP
  7, // SIGBUS
  8, // SIGFPE
  11, // SIGSEGV
  17, // SIGCHLD
]);

/** The file and the line that tell which signals this process catches, with its length. */
export const CAUGHT = {
  path: "/proc/self/status",
  name: "SigCgt:\t",
  length: 16,
} as const;

/** The signals that this process catches, other than by those handlers. */
export function caughtSignals(): number[] {
  const mask = /^SigCgt:\s*([0-9a-f]+)$/m.exec(readProc(CAUGHT.path));
  const bits = BigInt(`0x${mask?.[1] ?? "0"}`);
  return Array.from({ length: 64 }, (_, index) => index + 1).filter((signal) =>
    (bits >> BigInt(signal - 1) & 1n) === 1n && !KEPT.has(signal)
  );
}

const defaultAction = new Uint8Array(new ArrayBuffer(SIGACTION.size));
new DataView(defaultAction.buffer).setBigUint64(
  SIGACTION.fields.sa_handler,
  BigInt(SIG_DFL),
  true,
);

/**
 * In the child, by calls of the list: gives the signals that Deno catches their default actions again.
 *
 * Deno answers them on a thread that the child does not have, so a SIGTERM, say, would do nothing at all. glibc keeps two
 * for itself (32 and 33), and refuses to have them changed.
 */
export function resetSignals(list: CallList, signals: readonly number[]): void {
  const { sigaction } = functionAddresses();
  for (const signal of signals) list.call(sigaction, signal, defaultAction, 0);
}
