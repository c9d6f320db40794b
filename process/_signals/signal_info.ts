import { SIGINFO } from "../../ffi/layouts.ts";
import { signalNameOf } from "../../ffi/_signals.ts";
import {
  SI_MESGQ,
  SI_QUEUE,
  SI_TIMER,
  SI_TKILL,
  SI_USER,
} from "../../ffi/signal_constants.ts";
import type { Signal } from "../signals.ts";

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
