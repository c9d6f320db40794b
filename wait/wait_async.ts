import { onForkedChild } from "../ffi/_after_fork.ts";
import { checkAbortSignal, checkInteger } from "../ffi/_arguments.ts";
import { checkValue, checkZero, errorFor, readErrno } from "../ffi/_libc.ts";
import { descriptorSymbols, waitSymbols } from "../ffi/_symbols.ts";
import {
  P_PIDFD,
  POLLIN,
  SYS_pidfd_open,
  SYS_pidfd_send_signal,
  SYS_waitid,
  WEXITED,
  WNOHANG,
} from "../ffi/constants.ts";
import { ERRNO } from "../ffi/errors.ts";
import { RUSAGE, SIGINFO } from "../ffi/layouts.ts";
import type { Verdict, Watched } from "./_watched.ts";
import { lookSoon, referencesChanged, watch } from "./_watcher.ts";
import { CORE_BIT } from "./status.ts";
import type { WaitUsageResult } from "./types.ts";
import { decodeRusage, wait4 } from "./wait.ts";
import { decodeSiginfo } from "./waitid.ts";

const PIDFD_SEND_SIGNAL = BigInt(SYS_pidfd_send_signal);

/** Sends a signal to the process that a pidfd refers to, whoever has its pid by now; gives 0, or the error number. */
export function signalByPidfd(pidfd: number, signal: number): number {
  const result = waitSymbols().pidfd_send_signal(
    PIDFD_SEND_SIGNAL,
    pidfd,
    signal,
    0n,
    0,
  );
  return result === 0 ? 0 : readErrno();
}

/** Sends a signal to a child by its pidfd; gives false where it has been reaped. The pid is only for the error. */
export function signalChild(
  pidfd: number,
  pid: number,
  signal: number,
): boolean {
  const errno = signalByPidfd(pidfd, signal);
  if (errno === 0) return true;
  if (errno === ERRNO.ESRCH) return false;
  throw errorFor(
    errno,
    "pidfd_send_signal",
    () => `Cannot send signal ${signal} to child ${pid}`,
  );
}

const info = new Int32Array(SIGINFO.size / 4);
const usage = new Uint32Array(RUSAGE.size / 4);
const WAITID = BigInt(SYS_waitid);

const cannotWait = () => "Cannot wait for a child by its descriptor";

/**
 * `waitid(P_PIDFD, pidfd, &info, WEXITED | WNOHANG)` with the fifth argument that only the system call has, the usage.
 *
 * Reaps this very child, whoever may have its pid by now; `null` if there is nothing to reap yet.
 */
function reapByPidfd(pidfd: number): WaitUsageResult | null {
  const { waitid_usage } = waitSymbols();
  info[SIGINFO.fields.si_pid / 4] = 0;
  // It does not wait, and so nothing interrupts it.
  checkZero(
    waitid_usage(WAITID, P_PIDFD, pidfd, info, WEXITED | WNOHANG, usage),
    "waitid",
    cannotWait,
  );
  const ended = decodeSiginfo(info);
  if (ended === null) return null;
  const { pid, code, siStatus, status } = ended;
  const raw = code === "exited"
    ? siStatus << 8
    : siStatus | (code === "dumped" ? CORE_BIT : 0);
  return { pid, raw, status, rusage: decodeRusage(usage) };
}

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
  readonly #waiters: Waiter[];
  /** Those that are to be told that they were aborted. */
  readonly #aborted = new Map<Waiter, unknown>();
  #outcome: Outcome | undefined;
  /** Whether it is reaped, or given up. */
  released = false;

  constructor(pid: number, pidfd: number, first: Waiter) {
    this.#pid = pid;
    this.fd = pidfd;
    this.#waiters = [first];
  }

  join(waiter: Waiter): void {
    this.#waiters.push(waiter);
    referencesChanged();
  }

  get referenced(): boolean {
    // One that is to be told of its abort must get to know it.
    return this.#aborted.size > 0 ||
      this.#waiters.some((waiter) => waiter.referenced);
  }

  /** Sends a signal to this very child, whoever has its pid by now; gives false where it has been reaped. */
  kill(signal: number): boolean {
    return !this.released && signalChild(this.fd, this.#pid, signal);
  }

  abort(waiter: Waiter, reason: unknown): void {
    const index = this.#waiters.indexOf(waiter);
    if (index === -1) return;
    this.#waiters.splice(index, 1);
    this.#aborted.set(waiter, reason);
    try {
      lookSoon();
    } catch {
      // Somebody has closed the watcher's descriptor. This is the signal's listener: nobody could catch that.
      this.settle();
    }
  }

  look(readable: boolean): Verdict {
    if (this.#waiters.length > 0) {
      if (!readable) return "watch";
      this.#outcome = this.#reap();
      if (this.#outcome === undefined) return "retry";
    }
    this.#forget();
    return "done";
  }

  fail(error: unknown): void {
    this.#outcome ??= { error };
    this.#forget();
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
    this.#waiters.length = 0;
  }

  /** Lets nobody join any more; another child may have its pid by now. */
  #forget(): void {
    if (pending.get(this.#pid) === this) pending.delete(this.#pid);
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
  const pidfd = checkValue(
    waitSymbols().pidfd_open(PIDFD_OPEN, pid, 0),
    "pidfd_open",
    () => `Cannot wait for child ${pid}`,
  );
  try {
    return begin(pid, pidfd, waiter);
  } catch (error) {
    descriptorSymbols().close(pidfd);
    throw error;
  }
}

/** Has the first waiter told of a child. */
function begin(pid: number, pidfd: number, waiter: Waiter): PendingChild {
  if (!registered) {
    onForkedChild(() => pending.clear(), () => pending.size > 0);
  }
  registered = true;
  const child = new PendingChild(pid, pidfd, waiter);
  watch(child);
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

/**
 * Waits for a child that nobody can have reaped yet, and can send signals to it until it is. A pidfd that is given is closed
 * then, unless this throws.
 */
export function followChild(pid: number, pidfd?: number): Follower {
  return new ChildFollower(pid, pidfd);
}

class ChildFollower implements Follower, Waiter {
  readonly result: Promise<WaitUsageResult>;
  resolve!: (result: WaitUsageResult) => void;
  reject!: (reason: unknown) => void;
  referenced = true;
  readonly #child: PendingChild;

  constructor(pid: number, pidfd: number | undefined) {
    this.result = new Promise((resolve, reject) => {
      this.resolve = resolve;
      this.reject = reject;
    });
    this.#child = pidfd === undefined
      ? join(pid, this)
      : begin(pid, pidfd, this);
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
function isPending(pid: number): boolean {
  return pending.has(pid);
}

/** Waits for a child that was running a moment ago, together with those who do so already. */
function pendingChild(
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

/** Options for {@linkcode waitAsync}. */
export interface WaitAsyncOptions {
  /**
   * Gives up waiting. The child is neither signalled nor reaped, and can be waited for again.
   *
   * @default {undefined}
   */
  signal?: AbortSignal;
}

/**
 * Waits until a child has ended and reaps it, as `wait4(pid, &status, 0, &rusage)` does, without blocking the event loop.
 *
 * Nothing is polled in intervals: the kernel announces the end on a pidfd, and rings for it on Deno's own event loop. No thread
 * waits, but for the first eight waits of a process, and where Deno does not hear the bell (before 2.7, and in workers): there
 * all that is waited for shares one thread of Deno's pool. No child but the given one is ever reaped, so the children of
 * `Deno.Command` are safe. The event loop stays alive as long as a wait is pending.
 *
 * Several waits for one child all resolve to the same result. In a child made by `fork`, the parent's pending waits never
 * settle; it can wait for children of its own.
 *
 * Every failure, a wrong argument included, is a rejection. When the last pending wait settles, nothing is left behind:
 * no descriptor is open, and no operation is under way.
 *
 * @param pid The child's pid, above 0.
 * @param options Options for giving up.
 * @returns The child, how it ended, and what it has used.
 * @throws {PosixError} `ECHILD` if it is no child of this process, or has been reaped already, be it before the call or
 * by somebody else during the wait; `EMFILE` or `ENFILE` if no descriptor can be opened; `ENOSYS` if Linux is older than 5.3.
 * @throws {RangeError} If `pid` is 0, negative, or no C `int`.
 * @throws {TypeError} If `pid` is not a number, or `signal` is no `AbortSignal`.
 * @throws {unknown} The signal's reason if it is aborted: at once if it was so before, else when all is released.
 *
 * @example Waiting for two children at once
 * ```ts
 * import { _exit, fork } from "@posix/process/process";
 * import { waitAsync } from "@posix/process/wait";
 * import { assertEquals } from "@std/assert";
 *
 * const pids = [1, 2].map((code) => {
 *   const pid = fork();
 *   if (pid === 0) _exit(code);
 *   return pid;
 * });
 * const results = await Promise.all(pids.map((pid) => waitAsync(pid)));
 * assertEquals(results.map(({ status }) => status), [
 *   { kind: "exited", code: 1 },
 *   { kind: "exited", code: 2 },
 * ]);
 * ```
 *
 * @see {@link https://man7.org/linux/man-pages/man2/wait4.2.html | wait4(2)}
 * @see {@link https://man7.org/linux/man-pages/man2/pidfd_open.2.html | pidfd_open(2)}
 */
export async function waitAsync(
  pid: number,
  options: WaitAsyncOptions = {},
): Promise<WaitUsageResult> {
  checkInteger(pid, "pid", 1);
  const { signal } = options;
  checkAbortSignal(signal);
  signal?.throwIfAborted();
  const ended = isPending(pid) ? null : wait4(pid, WNOHANG);
  return ended ?? await pendingChild(pid, signal);
}
