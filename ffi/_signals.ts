import { checkInteger, checkName } from "./_arguments.ts";
import { SIGSET } from "./layouts.ts";

/**
 * The signals of Linux on x86-64 and aarch64, under the names of bash's `kill -l`.
 *
 * 32 and 33 are absent: glibc keeps them for its threads, and its `SIGRTMIN` is 34.
 */
export const SIGNAL_NUMBERS = Object.freeze(
  {
    SIGHUP: 1,
    SIGINT: 2,
    SIGQUIT: 3,
    SIGILL: 4,
    SIGTRAP: 5,
    SIGABRT: 6,
    SIGBUS: 7,
    SIGFPE: 8,
    SIGKILL: 9,
    SIGUSR1: 10,
    SIGSEGV: 11,
    SIGUSR2: 12,
    SIGPIPE: 13,
    SIGALRM: 14,
    SIGTERM: 15,
    SIGSTKFLT: 16,
    SIGCHLD: 17,
    SIGCONT: 18,
    SIGSTOP: 19,
    SIGTSTP: 20,
    SIGTTIN: 21,
    SIGTTOU: 22,
    SIGURG: 23,
    SIGXCPU: 24,
    SIGXFSZ: 25,
    SIGVTALRM: 26,
    SIGPROF: 27,
    SIGWINCH: 28,
    SIGIO: 29,
    SIGPWR: 30,
    SIGSYS: 31,
    SIGRTMIN: 34,
    "SIGRTMIN+1": 35,
    "SIGRTMIN+2": 36,
    "SIGRTMIN+3": 37,
    "SIGRTMIN+4": 38,
    "SIGRTMIN+5": 39,
    "SIGRTMIN+6": 40,
    "SIGRTMIN+7": 41,
    "SIGRTMIN+8": 42,
    "SIGRTMIN+9": 43,
    "SIGRTMIN+10": 44,
    "SIGRTMIN+11": 45,
    "SIGRTMIN+12": 46,
    "SIGRTMIN+13": 47,
    "SIGRTMIN+14": 48,
    "SIGRTMIN+15": 49,
    "SIGRTMAX-14": 50,
    "SIGRTMAX-13": 51,
    "SIGRTMAX-12": 52,
    "SIGRTMAX-11": 53,
    "SIGRTMAX-10": 54,
    "SIGRTMAX-9": 55,
    "SIGRTMAX-8": 56,
    "SIGRTMAX-7": 57,
    "SIGRTMAX-6": 58,
    "SIGRTMAX-5": 59,
    "SIGRTMAX-4": 60,
    "SIGRTMAX-3": 61,
    "SIGRTMAX-2": 62,
    "SIGRTMAX-1": 63,
    SIGRTMAX: 64,
  } as const,
);

/** Second names of some signals: understood wherever a name is given, never chosen to name a number. */
export const SIGNAL_ALIASES = Object.freeze(
  { SIGIOT: 6, SIGCLD: 17, SIGPOLL: 29 } as const,
);

/** The name of a signal, such as `"SIGTERM"` or `"SIGRTMIN+3"`. */
export type Signal = keyof typeof SIGNAL_NUMBERS | keyof typeof SIGNAL_ALIASES;

const NUMBERS: Readonly<Record<Signal, number>> = {
  ...SIGNAL_NUMBERS,
  ...SIGNAL_ALIASES,
};
const KNOWN = Object.keys(NUMBERS) as Signal[];

const NAMES = new Map<number, string>(
  Object.entries(SIGNAL_NUMBERS).map(([name, number]) => [number, name]),
);

/** The name of a signal number; `"SIG32"` and the like for a number without a name. */
export function signalNameOf(number: number): string {
  return NAMES.get(number) ?? `SIG${number}`;
}

/**
 * The number of a signal given by name or number.
 *
 * 0 passes: `kill` takes it as the question whether there is such a process; a call that must have a signal refuses it itself.
 */
export function signalNumber(signal: Signal | number, name = "signal"): number {
  if (typeof signal === "number") return checkInteger(signal, name, 0, 64);
  return NUMBERS[checkName(signal, name, KNOWN)];
}

/** The same where there must be a signal: 0 is none. */
export function checkSignal(signal: Signal | number, name: string): number {
  return checkInteger(signalNumber(signal, name), name, 1, 64);
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
