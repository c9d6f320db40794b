import { onForkedChild } from "../ffi/_after_fork.ts";
import { checkName, checkTimeout } from "../ffi/_arguments.ts";
import { checkErrorNumber, checkZero } from "../ffi/_libc.ts";
import { signalNameOf, signalSet } from "../ffi/_signals.ts";
import {
  processSymbols,
  siginfoSymbols,
  signalSymbols,
} from "../ffi/_symbols.ts";
import {
  SIG_BLOCK,
  SIG_UNBLOCK,
  SYS_rt_tgsigqueueinfo,
} from "../ffi/constants.ts";
import { SIGSET } from "../ffi/layouts.ts";
import { signalListeners } from "./_fork/signal_listeners.ts";
import { caughtSignals, type Receiver } from "./_signals/caught_signals.ts";
import {
  catchableSignals,
  currentAction,
  decodeSignal,
  handlerOf,
  mayCatch,
  numberIn,
  type SignalInfo,
} from "./_signals/actions.ts";
import type { Signal } from "./signals.ts";

/** What {@linkcode sigprocmask} does with its signals. */
export type SigprocmaskHow = "SIG_BLOCK" | "SIG_UNBLOCK" | "SIG_SETMASK";

const HOW: readonly SigprocmaskHow[] = [
  "SIG_BLOCK",
  "SIG_UNBLOCK",
  "SIG_SETMASK",
];

/**
 * `sigprocmask(how, &set, &oldset)`: says which signals have to wait.
 *
 * A signal that is blocked does nothing, neither its default nor what a listener would do, until it is unblocked: then it
 * does it before this returns, or, where Deno's own handler does it, a moment later. {@linkcode sigpending} shows what waits, and {@linkcode sigwait} takes it out. Of the signals 1
 * to 31 one of each waits, as in C; the real-time ones queue.
 *
 * In C the mask is a thread's own, and Deno has several threads, of which any would take the signal. So here it is the process's:
 * blocked signals are caught, whichever thread they hit, and kept. What is different from a mask of the kernel's: `/proc` shows
 * them as caught, not as blocked; at most some 8,000 can wait that no call has looked at; a program that is executed starts
 * with none blocked and none waiting. A forked child starts with the same mask, and none waiting.
 *
 * A child of `Deno.Command` is noticed though SIGCHLD is blocked. Signals are not blocked by {@linkcode setSignal} or a listener
 * that is added meanwhile: both apply to what comes out in the end.
 *
 * @param how `"SIG_BLOCK"` adds the signals to those that are blocked, `"SIG_UNBLOCK"` takes them out, `"SIG_SETMASK"` blocks
 * them and no others.
 * @param signals The signals, by name or number.
 * @returns The signals that were blocked before, by number in order; for `"SIG_SETMASK"`, to restore them.
 * @throws {PosixError} `ENOTSUP` in a worker, which is only one thread of the process; `EMFILE` if there is no descriptor free.
 * @throws {TypeError} If there is no signal of that name, or it is SIGKILL or SIGSTOP, which nobody can block, or a fault such
 * as SIGSEGV, which the program would commit again and again.
 * @throws {RangeError} If a number is no signal.
 *
 * @example A piece of work that no Ctrl-C tears apart
 * ```ts
 * import { getpid, kill, sigprocmask, sigwait } from "@posix/process/process";
 * import { assertEquals } from "@std/assert";
 *
 * const before = sigprocmask("SIG_BLOCK", ["SIGINT"]);
 * kill(getpid(), "SIGINT"); // waits
 * assertEquals(sigwait(["SIGINT"])?.signal, "SIGINT");
 * assertEquals(sigprocmask("SIG_SETMASK", before), ["SIGINT"]);
 * ```
 *
 * @see {@link https://man7.org/linux/man-pages/man2/sigprocmask.2.html | sigprocmask(2)}
 */
export function sigprocmask(
  how: SigprocmaskHow,
  signals: readonly (Signal | number)[],
): Signal[] {
  checkName(how, "how", HOW);
  const numbers = catchableSignals(signals);
  const before = heldSignals.numbers;
  if (how === "SIG_UNBLOCK") heldSignals.release(numbers);
  else {
    heldSignals.hold(numbers);
    if (how === "SIG_SETMASK") {
      heldSignals.release(before.filter((n) => !numbers.includes(n)));
    }
  }
  return before.map((number) => signalNameOf(number) as Signal);
}

/**
 * `sigpending(&set)`: the signals that have come while they were blocked by {@linkcode sigprocmask}, and wait.
 *
 * A signal hits any of Deno's threads, and shows a moment after it was sent: also one that the process sends to itself, which in
 * C has come when `kill` returns.
 *
 * @returns Their names, each once, by number in order.
 * @throws {PosixError} `EMFILE` or `ENOTSUP` as for {@linkcode sigprocmask}, if the program was started with signals blocked.
 *
 * @example What waits
 * ```ts
 * import { getpid, kill, sigpending, sigprocmask, sigwait } from "@posix/process/process";
 * import { assertEquals } from "@std/assert";
 *
 * sigprocmask("SIG_BLOCK", ["SIGUSR1", "SIGUSR2"]);
 * kill(getpid(), "SIGUSR2");
 * while (sigpending().length === 0); // a moment later
 * assertEquals(sigpending(), ["SIGUSR2"]);
 * sigwait(["SIGUSR2"]);
 * sigprocmask("SIG_UNBLOCK", ["SIGUSR1", "SIGUSR2"]);
 * ```
 *
 * @see {@link https://man7.org/linux/man-pages/man2/sigpending.2.html | sigpending(2)}
 */
export function sigpending(): Signal[] {
  return heldSignals.pending.map((number) => signalNameOf(number) as Signal);
}

type Info = Uint8Array<ArrayBuffer>;

const FIRST_REAL_TIME = 34;

/**
 * The signals that are blocked, for the whole process: they are caught, and kept here until somebody takes them or they are
 * let go.
 *
 * The kernel's mask is a thread's own, and a signal for the process goes to whichever thread does not block it. Deno's other
 * threads block none, and no call could make them.
 */
class HeldSignals implements Receiver {
  readonly holds = true;
  readonly #held = new Set<number>();
  #pending: Info[] = [];
  #started = false;

  receive(info: Info): void {
    const number = numberIn(info);
    // Of the old signals the kernel, too, keeps one of each; the real-time ones queue.
    const known = number < FIRST_REAL_TIME &&
      this.#pending.some((other) => numberIn(other) === number);
    if (!known) this.#pending.push(info);
  }

  /** Those that are blocked, in order. */
  get numbers(): number[] {
    this.#start();
    return [...this.#held].sort((a, b) => a - b);
  }

  /** Those that have come meanwhile, in order. */
  get pending(): number[] {
    this.#start();
    caughtSignals.drain();
    return [...new Set(this.#pending.map(numberIn))].sort((a, b) => a - b);
  }

  /** Blocks signals; gives those that were not blocked before. */
  hold(numbers: readonly number[]): number[] {
    this.#start();
    const fresh = [...new Set(numbers)].filter((n) => !this.#held.has(n));
    const done: number[] = [];
    try {
      for (const number of fresh) {
        caughtSignals.add(number, this);
        this.#held.add(number);
        done.push(number);
      }
    } catch (error) {
      this.release(done);
      throw error;
    }
    return fresh;
  }

  /** Blocks them no more: what has come meanwhile does now what it would have done. */
  release(numbers: readonly number[]): void {
    this.#start();
    for (const number of numbers.toSorted((a, b) => a - b)) {
      if (!this.#held.delete(number)) continue;
      caughtSignals.remove(number, this, () => {
        const isDue = (info: Info) => numberIn(info) === number;
        const due = this.#pending.filter(isDue);
        this.#pending = this.#pending.filter((info) => !isDue(info));
        for (const info of due) raise(info);
      });
    }
  }

  /** Takes the first of those that have come: the lowest number, and of one number the oldest. */
  take(wanted: readonly number[]): Info | undefined {
    caughtSignals.drain();
    const [first] = this.#pending.filter((info) =>
      wanted.includes(numberIn(info))
    ).sort((a, b) => numberIn(a) - numberIn(b));
    if (first !== undefined) {
      this.#pending.splice(this.#pending.indexOf(first), 1);
    }
    return first;
  }

  /** Takes over what the program was started with: a mask that all threads have had from the beginning. */
  #start(): void {
    if (this.#started) return;
    this.#started = true;
    onForkedChild(() => this.#pending = []);
    const mask = new Uint8Array(SIGSET.size);
    setMask(SIG_BLOCK, new Uint8Array(SIGSET.size), mask);
    const numbers = Array.from({ length: 64 }, (_, index) => index + 1)
      .filter((n) => (mask[(n - 1) >> 3]! >> ((n - 1) & 7) & 1) === 1)
      .filter(mayCatch);
    if (numbers.length === 0) return;
    this.hold(numbers);
    setMask(SIG_UNBLOCK, signalSet(numbers), null);
  }
}

/** Those of this process. */
const heldSignals: HeldSignals = new HeldSignals();

/** Sends a signal to this very thread as it was sent before, so that it has done what it does when this returns. */
function raise(info: Info): void {
  const { gettid, rt_tgsigqueueinfo } = siginfoSymbols();
  checkZero(
    rt_tgsigqueueinfo(
      BigInt(SYS_rt_tgsigqueueinfo),
      processSymbols().getpid(),
      gettid(),
      numberIn(info),
      info,
    ),
    "rt_tgsigqueueinfo",
    () => `Cannot deliver ${signalNameOf(numberIn(info))}`,
  );
}

function setMask(how: number, set: Info, former: Info | null): void {
  checkErrorNumber(
    signalSymbols().pthread_sigmask(how, set, former),
    "pthread_sigmask",
    () => "Cannot take over the signal mask",
  );
}

/** Options for {@linkcode sigwait}. */
export interface SigwaitOptions {
  /**
   * The longest to wait, in milliseconds; 0 to look without waiting.
   *
   * @default {Infinity}
   */
  timeout?: number;
}

/**
 * `sigtimedwait(&set, &info, &timeout)`: waits for a signal, takes it, and tells who sent it.
 *
 * Blocks the thread, event loop included; {@linkcode signals} is the version that does not. A signal that waits already is taken
 * at once: the lowest number first, and of one number the oldest.
 *
 * The signals are to be blocked before, with {@linkcode sigprocmask}, so that none comes too early, just as in C. Those that are not
 * are blocked here for the time of the wait, and if more than one of them comes, what was not taken does what it
 * does when the wait is over. One that comes at the very moment when that begins may be lost. No other signal ends the wait.
 *
 * @param signals The signals to wait for, at least one.
 * @param options How long to wait.
 * @returns The signal and its sender; `null` if the time is up.
 * @throws {PosixError} `ENOTSUP` in a worker; `EMFILE` if there is no descriptor free.
 * @throws {TypeError} If there is no signal of that name, or it cannot be blocked; see {@linkcode sigprocmask}.
 * @throws {RangeError} If there is no signal, a number is none, or the timeout is negative.
 *
 * @example A child that tells its parent something by a signal
 * ```ts
 * import { _exit, fork, getppid, sigprocmask, sigqueue, sigwait } from "@posix/process/process";
 * import { waitpid } from "@posix/process/wait";
 * import { assertEquals } from "@std/assert";
 *
 * sigprocmask("SIG_BLOCK", ["SIGUSR1"]);
 * const pid = fork();
 * if (pid === 0) {
 *   sigqueue(getppid(), "SIGUSR1", 42);
 *   _exit(0);
 * }
 * const info = sigwait(["SIGUSR1"], { timeout: 5000 });
 * assertEquals([info?.pid, info?.value], [pid, 42]);
 * sigprocmask("SIG_UNBLOCK", ["SIGUSR1"]);
 * waitpid(pid);
 * ```
 *
 * @see {@link https://man7.org/linux/man-pages/man2/sigwaitinfo.2.html | sigtimedwait(2)}
 */
export function sigwait(
  signals: readonly (Signal | number)[],
  options: SigwaitOptions = {},
): SignalInfo | null {
  const numbers = catchableSignals(signals);
  if (numbers.length === 0) {
    throw new RangeError("'signals' must hold at least one signal");
  }
  const timeout = checkTimeout(options.timeout ?? Infinity);
  const deadline = performance.now() + timeout;
  const fresh = heldSignals.hold(numbers);
  try {
    for (;;) {
      const info = heldSignals.take(numbers);
      if (info !== undefined) return decodeSignal(info);
      const rest = deadline - performance.now();
      if (rest <= 0) return null;
      caughtSignals.wait(rest);
    }
  } finally {
    heldSignals.release(fresh);
  }
}

/**
 * `pause()`: waits until a signal has come for which the program has a listener.
 *
 * Those of `Deno.addSignalListener` and {@linkcode signals} count, whichever thread takes the signal. JavaScript being one thread, the
 * listener is called after this has returned, when the event loop has its turn. A signal whose default is to end the process does
 * so, an {@linkcode alarm} for example; one that is ignored or blocked changes nothing. Where nobody listens for anything,
 * only such an end ends the wait.
 *
 * Blocks the thread, event loop included. A signal that comes just before the call is missed: {@linkcode sigwait} is free of that.
 *
 * @throws {PosixError} `ENOTSUP` in a worker; `EMFILE` if there is no descriptor free.
 *
 * @example Sleeping until the alarm
 * ```ts
 * import { pause, setitimer, signals } from "@posix/process/process";
 * import { assertEquals } from "@std/assert";
 *
 * using alarms = signals("SIGALRM");
 * setitimer("ITIMER_REAL", 0.01, 0.01); // again and again, lest the only one come too early
 * pause();
 * setitimer("ITIMER_REAL", 0);
 * assertEquals((await alarms.next()).value?.signal, "SIGALRM");
 * ```
 *
 * @see {@link https://man7.org/linux/man-pages/man2/pause.2.html | pause(2)}
 */
export function pause(): void {
  const numbers = new Set([
    ...signalListeners.numbers,
    ...caughtSignals.numbers,
  ].filter((number) => handlerOf(currentAction(number)) !== 0n));
  // The call itself comes back for any handler of Deno's as well, and only for those that run on this thread.
  while (numbers.size === 0) siginfoSymbols().pause();
  let come = false;
  const receiver = { holds: false, receive: () => come = true };
  const added: number[] = [];
  try {
    caughtSignals.drain();
    for (const number of numbers) {
      caughtSignals.add(number, receiver);
      added.push(number);
    }
    while (!come) {
      caughtSignals.wait(Infinity);
      caughtSignals.drain();
    }
  } finally {
    for (const number of added) caughtSignals.remove(number, receiver);
  }
}
