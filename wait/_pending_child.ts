import { onForkedChild } from "../ffi/_after_fork.ts";
import { POLLIN, SYS_pidfd_open } from "../ffi/constants.ts";
import { checkValue } from "../ffi/_results.ts";
import { descriptorSymbols, waitSymbols } from "../ffi/_symbols.ts";
import { signalChild } from "./_pidfd.ts";
import { reapByPidfd } from "./_reap_by_pidfd.ts";
import type { WaitUsageResult } from "./types.ts";
import type { Verdict, Watched } from "./_watched.ts";
import { lookSoon, referencesChanged, watch } from "./_watcher.ts";

const PIDFD_OPEN = BigInt(SYS_pidfd_open);

/** One who waits: a call of `waitAsync` that has not settled, or a follower. */
interface Waiter {
  /** Whether the waiting keeps the process alive. */
  readonly referenced: boolean;
  resolve(result: WaitUsageResult): void;
  reject(reason: unknown): void;
}

type Outcome = { result: WaitUsageResult } | { error: unknown };

/** A running child that somebody waits for, through a pidfd. */
class PendingChild implements Watched {
  readonly #pid: number;
  readonly fd: number;
  readonly events = POLLIN;
  readonly mayLinger = true;
  readonly #waiters = new Set<Waiter>();
  readonly #aborted = new Map<Waiter, unknown>();
  #outcome: Outcome | undefined;
  /** Whether it is reaped, or given up. */
  released = false;

  constructor(pid: number, first: Waiter) {
    this.#pid = pid;
    this.#waiters.add(first);
    this.fd = checkValue(
      waitSymbols().pidfd_open(PIDFD_OPEN, pid, 0),
      "pidfd_open",
      () => `Cannot wait for child ${pid}`,
    );
  }

  join(waiter: Waiter): void {
    this.#waiters.add(waiter);
    referencesChanged();
  }

  get referenced(): boolean {
    // One that is to be told of its abort must get to know it.
    return this.#aborted.size > 0 ||
      this.#waiters.values().some((waiter) => waiter.referenced);
  }

  /** Sends a signal to this very child, whoever has its pid by now; gives false where it has been reaped. */
  kill(signal: number): boolean {
    return !this.released && signalChild(this.fd, this.#pid, signal);
  }

  abort(waiter: Waiter, reason: unknown): void {
    if (!this.#waiters.delete(waiter)) return;
    this.#aborted.set(waiter, reason);
    try {
      lookSoon();
    } catch {
      // Somebody has closed the watcher's descriptor. This is the signal's listener: nobody could catch that.
      this.settle();
    }
  }

  look(readable: boolean): Verdict {
    if (this.#waiters.size > 0) {
      if (!readable) return "watch";
      this.#outcome = this.#reap();
      if (this.#outcome === undefined) return "retry";
    }
    pending.delete(this.#pid);
    return "done";
  }

  fail(error: unknown): void {
    this.#outcome ??= { error };
    pending.delete(this.#pid);
  }

  release(): void {
    this.released = true;
    descriptorSymbols().close(this.fd);
  }

  settle(): void {
    for (const [waiter, reason] of this.#aborted) waiter.reject(reason);
    this.#aborted.clear();
    if (this.#outcome === undefined) return;
    for (const waiter of this.#waiters) {
      if ("result" in this.#outcome) waiter.resolve(this.#outcome.result);
      else waiter.reject(this.#outcome.error);
    }
    this.#waiters.clear();
  }

  /** Reaps the child; `undefined` if it cannot be reaped yet. */
  #reap(): Outcome | undefined {
    try {
      // There is nothing to reap yet where a tracer has still to be told of the end.
      const result = reapByPidfd(this.fd);
      return result === null ? undefined : { result };
    } catch (error) {
      return { error };
    }
  }
}

const pending = new Map<number, PendingChild>();
let registered = false;

/** Has the waiter told of a child that was running a moment ago, together with those who wait for it already. */
function join(pid: number, waiter: Waiter): PendingChild {
  const known = pending.get(pid);
  if (known !== undefined) {
    known.join(waiter);
    return known;
  }
  if (!registered) {
    onForkedChild(() => pending.clear(), () => pending.size > 0);
  }
  registered = true;
  const child = new PendingChild(pid, waiter);
  try {
    watch(child);
  } catch (error) {
    descriptorSymbols().close(child.fd);
    throw error;
  }
  pending.set(pid, child);
  return child;
}

/** A child that somebody holds on to until it has ended. */
export interface Follower {
  /** What refers to this very child until it is reaped. */
  readonly pidfd: number | undefined;
  /** How it has ended; the child is reaped. */
  readonly result: Promise<WaitUsageResult>;
  /** Sends a signal to this very child; gives false where it has been reaped. */
  kill(signal: number): boolean;
  /** Whether following it keeps the process alive. */
  reference(on: boolean): void;
}

/** Waits for a child of which nobody can have reaped yet, and can send signals to it until it is. */
export function followChild(pid: number): Follower {
  return new ChildFollower(pid);
}

class ChildFollower implements Follower, Waiter {
  readonly result: Promise<WaitUsageResult>;
  resolve!: (result: WaitUsageResult) => void;
  reject!: (reason: unknown) => void;
  referenced = true;
  readonly #child: PendingChild;

  constructor(pid: number) {
    this.result = new Promise((resolve, reject) => {
      this.resolve = resolve;
      this.reject = reject;
    });
    this.#child = join(pid, this);
  }

  get pidfd(): number | undefined {
    return this.#child.released ? undefined : this.#child.fd;
  }

  kill(signal: number): boolean {
    return this.#child.kill(signal);
  }

  reference(on: boolean): void {
    this.referenced = on;
    referencesChanged();
  }
}

/** Whether somebody waits for the child already. */
export function isPending(pid: number): boolean {
  return pending.has(pid);
}

/** Waits for a child that was running a moment ago, together with those who do so already. */
export function pendingChild(
  pid: number,
  signal: AbortSignal | undefined,
): Promise<WaitUsageResult> {
  const { promise, resolve, reject } = Promise.withResolvers<WaitUsageResult>();
  const abort = () => child.abort(waiter, signal?.reason);
  const waiter: Waiter = {
    referenced: true,
    resolve(result) {
      signal?.removeEventListener("abort", abort);
      resolve(result);
    },
    reject(reason) {
      signal?.removeEventListener("abort", abort);
      reject(reason);
    },
  };
  const child = join(pid, waiter);
  signal?.addEventListener("abort", abort);
  return promise;
}
