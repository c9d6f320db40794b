import { SIG_DFL, SIG_SETMASK } from "../../ffi/constants.ts";
import { SIGACTION, SIGSET } from "../../ffi/layouts.ts";
import { checkErrorNumber } from "../../ffi/_results.ts";
import { signalSymbols } from "../../ffi/_symbols.ts";
import { readProc } from "./proc_file.ts";

const all = new Uint8Array(new ArrayBuffer(SIGSET.size)).fill(0xff);
const former = new Uint8Array(new ArrayBuffer(SIGSET.size));

/** Blocks every signal for the calling thread, without allocating. */
export function blockSignals(): void {
  checkErrorNumber(
    signalSymbols().pthread_sigmask(SIG_SETMASK, all, former),
    "pthread_sigmask",
    cannotBlock,
  );
}

/** Puts the mask back that {@linkcode blockSignals} found. */
export function restoreSignals(): void {
  checkErrorNumber(
    signalSymbols().pthread_sigmask(SIG_SETMASK, former, null),
    "pthread_sigmask",
    cannotBlock,
  );
}

const cannotBlock = () => "Cannot set the signal mask";

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

/** The signals that this process catches, other than by those handlers. */
export function caughtSignals(): number[] {
  const mask = /^SigCgt:\s*([0-9a-f]+)$/m.exec(readProc("/proc/self/status"));
  const bits = BigInt(`0x${mask?.[1] ?? "0"}`);
  return Array.from({ length: 64 }, (_, index) => index + 1).filter((signal) =>
    (bits >> BigInt(signal - 1) & 1n) === 1n && !KEPT.has(signal)
  );
}

const defaultAction = new Uint8Array(SIGACTION.size);
new DataView(defaultAction.buffer).setBigUint64(
  SIGACTION.fields.sa_handler,
  BigInt(SIG_DFL),
  true,
);

/**
 * In the child: gives the signals that Deno catches their default actions again.
 *
 * Deno answers them on a thread that the child does not have, so a SIGTERM, say, would do nothing at all. glibc keeps two
 * for itself (32 and 33), and refuses to have them changed.
 */
export function resetSignals(signals: readonly number[]): void {
  for (const signal of signals) {
    signalSymbols().sigaction(signal, defaultAction, null);
  }
}
