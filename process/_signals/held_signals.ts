import { SIG_BLOCK, SIG_UNBLOCK } from "../../ffi/constants.ts";
import { SIGSET } from "../../ffi/layouts.ts";
import { checkErrorNumber, checkZero } from "../../ffi/_results.ts";
import { signalNameOf } from "../../ffi/_signals.ts";
import { SYS_rt_tgsigqueueinfo } from "../../ffi/signal_constants.ts";
import { onForkedChild } from "../../ffi/_after_fork.ts";
import {
  processSymbols,
  siginfoSymbols,
  signalSymbols,
} from "../../ffi/_symbols.ts";
import { mayCatch } from "./arguments.ts";
import { caughtSignals, type Receiver } from "./caught_signals.ts";
import { numberIn } from "./signal_info.ts";

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
    const taken = new Uint8Array(SIGSET.size);
    for (const n of numbers) taken[(n - 1) >> 3]! |= 1 << ((n - 1) & 7);
    setMask(SIG_UNBLOCK, taken, null);
  }
}

/** Those of this process. */
export const heldSignals: HeldSignals = new HeldSignals();

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
