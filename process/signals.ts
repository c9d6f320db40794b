import { checkInteger } from "../ffi/_arguments.ts";
import {
  SIGNAL_ALIASES,
  SIGNAL_NUMBERS,
  signalNameOf,
} from "../ffi/_signals.ts";

/** The name of a signal, such as `"SIGTERM"` or `"SIGRTMIN+3"`. */
export type Signal =
  | "SIGHUP"
  | "SIGINT"
  | "SIGQUIT"
  | "SIGILL"
  | "SIGTRAP"
  | "SIGABRT"
  | "SIGIOT"
  | "SIGBUS"
  | "SIGFPE"
  | "SIGKILL"
  | "SIGUSR1"
  | "SIGSEGV"
  | "SIGUSR2"
  | "SIGPIPE"
  | "SIGALRM"
  | "SIGTERM"
  | "SIGSTKFLT"
  | "SIGCHLD"
  | "SIGCLD"
  | "SIGCONT"
  | "SIGSTOP"
  | "SIGTSTP"
  | "SIGTTIN"
  | "SIGTTOU"
  | "SIGURG"
  | "SIGXCPU"
  | "SIGXFSZ"
  | "SIGVTALRM"
  | "SIGPROF"
  | "SIGWINCH"
  | "SIGIO"
  | "SIGPOLL"
  | "SIGPWR"
  | "SIGSYS"
  | "SIGRTMIN"
  | `SIGRTMIN+${
    | 1
    | 2
    | 3
    | 4
    | 5
    | 6
    | 7
    | 8
    | 9
    | 10
    | 11
    | 12
    | 13
    | 14
    | 15}`
  | `SIGRTMAX-${1 | 2 | 3 | 4 | 5 | 6 | 7 | 8 | 9 | 10 | 11 | 12 | 13 | 14}`
  | "SIGRTMAX";

/**
 * The signals of Linux by name: those of bash's `kill -l`, 1–31 and the real-time ones 34–64, and the second names `SIGIOT`,
 * `SIGCLD` and `SIGPOLL`.
 *
 * 32 and 33 have no name: glibc keeps them for its threads.
 *
 * @example Looking up a number
 * ```ts
 * import { SIGNALS } from "@posix/process/process";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(SIGNALS.SIGKILL, 9);
 * assertEquals(SIGNALS["SIGRTMIN+1"], 35);
 * assertEquals(SIGNALS.SIGCLD, SIGNALS.SIGCHLD);
 * ```
 *
 * @see {@link https://man7.org/linux/man-pages/man7/signal.7.html | signal(7)}
 */
export const SIGNALS: Readonly<Record<Signal, number>> = Object.freeze({
  ...SIGNAL_NUMBERS,
  ...SIGNAL_ALIASES,
});

/**
 * `sigabbrev_np(sig)`, or `kill -l number`: the name of a signal, with its `SIG`.
 *
 * @param signal The number.
 * @returns The name, as bash gives it; `"SIG32"` and `"SIG33"` for the two that have none.
 * @throws {RangeError} If `signal` is no integer from 1 to 64.
 *
 * @example Naming a number
 * ```ts
 * import { signalName } from "@posix/process/process";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(signalName(15), "SIGTERM");
 * assertEquals(signalName(37), "SIGRTMIN+3");
 * ```
 *
 * @see {@link https://man7.org/linux/man-pages/man7/signal.7.html | signal(7)}
 */
export function signalName(signal: number): string {
  return signalNameOf(checkInteger(signal, "signal", 1, 64));
}

/** glibc's texts, from signal 1 on. */
const TEXTS = [
  "Hangup",
  "Interrupt",
  "Quit",
  "Illegal instruction",
  "Trace/breakpoint trap",
  "Aborted",
  "Bus error",
  "Floating point exception",
  "Killed",
  "User defined signal 1",
  "Segmentation fault",
  "User defined signal 2",
  "Broken pipe",
  "Alarm clock",
  "Terminated",
  "Stack fault",
  "Child exited",
  "Continued",
  "Stopped (signal)",
  "Stopped",
  "Stopped (tty input)",
  "Stopped (tty output)",
  "Urgent I/O condition",
  "CPU time limit exceeded",
  "File size limit exceeded",
  "Virtual timer expired",
  "Profiling timer expired",
  "Window changed",
  "I/O possible",
  "Power failure",
  "Bad system call",
];

const SIGRTMIN = 34;
const SIGRTMAX = 64;

/**
 * `strsignal(sig)`: glibc's description of a signal, in English whatever the locale.
 *
 * @param signal The number.
 * @returns The description; `"Unknown signal N"` for a number that is no signal of Linux, or one of the two that glibc keeps.
 * @throws {RangeError} If `signal` is no 32-bit integer.
 *
 * @example Describing signals
 * ```ts
 * import { SIGNALS, strsignal } from "@posix/process/process";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(strsignal(SIGNALS.SIGSEGV), "Segmentation fault");
 * assertEquals(strsignal(SIGNALS["SIGRTMIN+1"]), "Real-time signal 1");
 * assertEquals(strsignal(0), "Unknown signal 0");
 * ```
 *
 * @see {@link https://man7.org/linux/man-pages/man3/strsignal.3.html | strsignal(3)}
 */
export function strsignal(signal: number): string {
  checkInteger(signal, "signal");
  if (signal >= SIGRTMIN && signal <= SIGRTMAX) {
    return `Real-time signal ${signal - SIGRTMIN}`;
  }
  return TEXTS[signal - 1] ?? `Unknown signal ${signal}`;
}
