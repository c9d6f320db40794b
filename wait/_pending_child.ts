import { onForkedChild } from "../ffi/_after_fork.ts";
import { SYS_pidfd_open, WEXITED, WNOHANG, WNOWAIT } from "../ffi/constants.ts";
import { checkValue } from "../ffi/_results.ts";
import { descriptorSymbols, waitSymbols } from "../ffi/_symbols.ts";
import type { WaitUsageResult } from "./types.ts";
import { wait4 } from "./wait4.ts";
import { waitid } from "./waitid.ts";
import { lookSoon, type Verdict, watch, type Watched } from "./_watcher.ts";

/** One call of `waitAsync` that has not settled. */
interface Waiter {
  resolve(result: WaitUsageResult): void;
  reject(reason: unknown): void;
}

type Outcome = { result: WaitUsageResult } | { error: unknown };

/** A running child that somebody waits for, through a pidfd. */
class PendingChild implements Watched {
  readonly #pid: number;
  readonly fd: number;
  readonly #waiters = new Set<Waiter>();
  readonly #aborted = new Map<Waiter, unknown>();
  #outcome: Outcome | undefined;

  constructor(pid: number) {
    this.#pid = pid;
    this.fd = checkValue(
      waitSymbols().pidfd_open(BigInt(SYS_pidfd_open), pid, 0),
      "pidfd_open",
      () => `Cannot wait for child ${pid}`,
    );
  }

  join(waiter: Waiter): void {
    this.#waiters.add(waiter);
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
      // Asking the pidfd first makes sure that the pid is still this child's: were it reaped by somebody else, the pid
      // may already be another's. There is nothing to reap yet where a tracer has still to be told of the end.
      const ended = waitid("P_PIDFD", this.fd, WEXITED | WNOHANG | WNOWAIT);
      const result = ended === null ? null : wait4(this.#pid, WNOHANG);
      return result === null ? undefined : { result };
    } catch (error) {
      return { error };
    }
  }
}

const pending = new Map<number, PendingChild>();
let registered = false;

/** Whether somebody waits for the child already. */
export function isPending(pid: number): boolean {
  return pending.has(pid);
}

/** Waits for a child that was running a moment ago, together with those who do so already. */
export function pendingChild(
  pid: number,
  signal: AbortSignal | undefined,
): Promise<WaitUsageResult> {
  if (!registered) {
    onForkedChild(() => pending.clear());
    registered = true;
  }
  const child = pending.get(pid) ?? startWatching(pid);
  return new Promise((resolve, reject) => {
    const abort = () => child.abort(waiter, signal?.reason);
    const waiter: Waiter = {
      resolve(result) {
        signal?.removeEventListener("abort", abort);
        resolve(result);
      },
      reject(reason) {
        signal?.removeEventListener("abort", abort);
        reject(reason);
      },
    };
    child.join(waiter);
    signal?.addEventListener("abort", abort);
  });
}

function startWatching(pid: number): PendingChild {
  const child = new PendingChild(pid);
  try {
    watch(child);
  } catch (error) {
    descriptorSymbols().close(child.fd);
    throw error;
  }
  pending.set(pid, child);
  return child;
}
