import { checkInteger } from "../ffi/_arguments.ts";

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
