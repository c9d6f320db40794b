import { SIGNAL_ALIASES, SIGNAL_NUMBERS } from "../ffi/_signals.ts";

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
