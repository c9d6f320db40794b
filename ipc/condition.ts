import { checkInteger, wrongType } from "../ffi/_arguments.ts";
import { ERRNO } from "../ffi/errors.ts";
import { futexWake } from "../ffi/_locks.ts";
import { errorFor } from "../ffi/_libc.ts";
import {
  type HeldLock,
  locksWithin,
  type Mutex,
  type RobustLock,
} from "./mutex.ts";
import { SharedPlace, type SharedPlacement } from "./_shared_place.ts";
import {
  timeoutOf,
  type WaitAsyncOptions,
  waitBlocking,
  type Waiting,
  WaitingLine,
  type WaitOptions,
} from "./_waiting.ts";

const BYTES = 64;

// All but the first change only under the mutex.
/** Changed by each notification: the word to sleep on. */
const TURN = 0;
/** The ticket of the next one who waits. */
const TICKET = 1;
/** Who was there at the last notification: those with tickets before this one. */
const LIMIT = 2;
/** How many wait. Too many where some were killed, and then somebody may be woken for nothing. */
const WAITERS = 3;
/** How many of them may go on, and have not yet. A notification stays here if the one whom it has woken is killed. */
const GRANTS = 4;

/**
 * `pthread_cond_t`, shared by processes: waits, without having a mutex, until another process that has it says that something has
 * changed.
 *
 * Made without memory, it is shared with the processes that are forked from then on. Made in a {@linkcode SharedMemory}, it is the
 * same condition for all who make one at that offset.
 *
 * As with every condition variable, somebody may be woken for nothing, for instance after a process was killed: look at
 * what is waited for again, as {@linkcode Condition.prototype.waitFor | Condition.waitFor} does. A process that is
 * killed while it waits takes no notification along: it goes to another, within a fifth of a second.
 *
 * @example Waiting for a number
 * ```ts
 * import { Condition, Mutex, SharedValue } from "@posix/process/ipc";
 * import { _exit, fork } from "@posix/process/process";
 * import { waitpid } from "@posix/process/wait";
 * import { assertEquals } from "@std/assert";
 *
 * using mutex = new Mutex();
 * using changed = new Condition(mutex);
 * using number = new SharedValue("int32");
 * const pid = fork();
 * if (pid === 0) {
 *   using _ = mutex.acquire();
 *   changed.waitFor(() => number.value > 0);
 *   _exit(number.value);
 * }
 * {
 *   using _ = mutex.acquire();
 *   number.value = 42;
 *   changed.notify();
 * }
 * assertEquals(waitpid(pid)?.status, { kind: "exited", code: 42 });
 * ```
 *
 * @see {@link https://man7.org/linux/man-pages/man3/pthread_cond_wait.3p.html | pthread_cond_wait(3p)}
 */
export class Condition implements Disposable {
  /** How many bytes it takes in memory. */
  static readonly BYTES: number = BYTES;

  /** The mutex that protects what is waited for. */
  readonly mutex: Mutex;
  readonly #lock: RobustLock;
  readonly #place: SharedPlace;
  readonly #line = new WaitingLine();

  /**
   * Makes the condition, or finds it where it was made before.
   *
   * @param mutex The mutex that protects what is waited for: the same for all who make the condition.
   * @param placement The memory in which it lies, if not its own.
   */
  constructor(mutex: Mutex, placement: SharedPlacement = {}) {
    const lock = typeof mutex === "object" && mutex !== null
      ? locksWithin.get(mutex)
      : undefined;
    if (lock === undefined) throw wrongType(mutex, "mutex", "a Mutex");
    this.mutex = mutex;
    this.#lock = lock;
    this.#place = new SharedPlace("condition", BYTES, placement);
  }

  /**
   * `pthread_cond_wait(condition, mutex)`: releases the mutex, waits to be notified, and acquires it again.
   *
   * Blocks the thread, event loop included; see {@linkcode Condition.prototype.waitAsync | Condition.waitAsync} for the
   * version that does not. The mutex is acquired again in any case, by the guard that had it, whose `ownerDied` then
   * tells of whoever had it meanwhile.
   *
   * @param options How long to wait to be notified; getting the mutex again may take longer.
   * @returns Whether it was notified; false if the time is over.
   * @throws {PosixError} `EPERM` if this process has not acquired the mutex.
   * @throws {RangeError} If the timeout is negative or `NaN`.
   * @throws {TypeError} If it is closed.
   *
   * @example Nobody notifies
   * ```ts
   * import { Condition, Mutex } from "@posix/process/ipc";
   * import { assertEquals } from "@std/assert";
   *
   * using mutex = new Mutex();
   * using condition = new Condition(mutex);
   * using _ = mutex.acquire();
   * assertEquals(condition.wait({ timeout: 5 }), false);
   * ```
   */
  wait(options: WaitOptions = {}): boolean {
    const timeout = timeoutOf(options);
    const deadline = performance.now() + timeout;
    const guard = this.#guard("wait for");
    const ticket = this.#enter();
    for (;;) {
      guard.release();
      let granted: true | undefined;
      try {
        const left = Math.max(0, deadline - performance.now());
        granted = waitBlocking(this.#waiting(ticket), left);
      } finally {
        this.#lock.restore(guard, this.#lock.acquire(Infinity)!);
      }
      if (this.#leave(ticket)) return true;
      if (granted === undefined) return this.#withdraw();
    }
  }

  /**
   * `pthread_cond_wait(condition, mutex)` without blocking the event loop: releases the mutex, waits to be notified, and acquires
   * it again.
   *
   * The mutex is acquired again in any case, also where the waiting is ended by the signal. Those of this process who wait take one
   * thread of Deno's pool together. A promise that is pending when the process forks does not settle in the child.
   *
   * @param options How long to wait to be notified, and what ends it before.
   * @returns Whether it was notified; false if the time is over.
   * @throws {PosixError} `EPERM` if this process has not acquired the mutex.
   * @throws {RangeError} If the timeout is negative or `NaN`.
   * @throws {TypeError} If it is closed, or gets closed meanwhile.
   *
   * @example Two tasks of one process
   * ```ts
   * import { Condition, Mutex } from "@posix/process/ipc";
   * import { assert } from "@std/assert";
   *
   * using mutex = new Mutex();
   * using condition = new Condition(mutex);
   * const notified = async () => {
   *   using _ = await mutex.acquireAsync();
   *   return await condition.waitAsync({ timeout: 5000 });
   * };
   * const waiting = notified();
   * {
   *   using _ = await mutex.acquireAsync({ timeout: 5000 });
   *   condition.notify();
   * }
   * assert(await waiting);
   * ```
   */
  async waitAsync(options: WaitAsyncOptions = {}): Promise<boolean> {
    const timeout = timeoutOf(options);
    options.signal?.throwIfAborted();
    const deadline = performance.now() + timeout;
    const guard = this.#guard("wait for");
    const ticket = this.#enter();
    for (;;) {
      guard.release();
      let granted: true | undefined;
      let ended = true;
      try {
        const left = Math.max(0, deadline - performance.now());
        const waiting = this.#waiting(ticket);
        granted = await this.#line.wait(waiting, left, options.signal);
        ended = false;
      } finally {
        const by = await this.#lock.acquireAsync(Infinity);
        this.#lock.restore(guard, by!);
        // One who gives up leaves a notification to the others.
        if (ended && !this.#place.closed) this.#withdraw();
      }
      if (this.#leave(ticket)) return true;
      if (granted === undefined) return this.#withdraw();
    }
  }

  /**
   * Waits until what is waited for is so: looks, waits to be notified, looks again.
   *
   * Blocks the thread, event loop included; see {@linkcode Condition.prototype.waitForAsync | Condition.waitForAsync}
   * for the version that does not.
   *
   * @param predicate Tells whether it is so; called with the mutex acquired.
   * @param options How long to wait.
   * @returns Whether it is so; false if the time is over.
   * @throws {PosixError} `EPERM` if this process has not acquired the mutex.
   * @throws {RangeError} If the timeout is negative or `NaN`.
   * @throws {TypeError} If it is closed.
   *
   * @example It is so already
   * ```ts
   * import { Condition, Mutex } from "@posix/process/ipc";
   * import { assert } from "@std/assert";
   *
   * using mutex = new Mutex();
   * using condition = new Condition(mutex);
   * using _ = mutex.acquire();
   * assert(condition.waitFor(() => true));
   * ```
   */
  waitFor(predicate: () => boolean, options: WaitOptions = {}): boolean {
    const deadline = performance.now() + timeoutOf(options);
    this.#guard("wait for");
    while (!predicate()) {
      const timeout = deadline - performance.now();
      if (timeout <= 0) return false;
      if (!this.wait({ timeout })) return predicate();
    }
    return true;
  }

  /**
   * Waits until what is waited for is so, without blocking the event loop.
   *
   * @param predicate Tells whether it is so; called with the mutex acquired.
   * @param options How long to wait, and what ends it before.
   * @returns Whether it is so; false if the time is over.
   * @throws {PosixError} `EPERM` if this process has not acquired the mutex.
   * @throws {RangeError} If the timeout is negative or `NaN`.
   * @throws {TypeError} If it is closed, or gets closed meanwhile.
   *
   * @example It never is
   * ```ts
   * import { Condition, Mutex } from "@posix/process/ipc";
   * import { assertEquals } from "@std/assert";
   *
   * using mutex = new Mutex();
   * using condition = new Condition(mutex);
   * using _ = mutex.acquire();
   * const met = await condition.waitForAsync(() => false, { timeout: 5 });
   * assertEquals(met, false);
   * ```
   */
  async waitForAsync(
    predicate: () => boolean,
    options: WaitAsyncOptions = {},
  ): Promise<boolean> {
    const deadline = performance.now() + timeoutOf(options);
    this.#guard("wait for");
    while (!predicate()) {
      const timeout = deadline - performance.now();
      if (timeout <= 0) return false;
      if (!await this.waitAsync({ ...options, timeout })) return predicate();
    }
    return true;
  }

  /**
   * `pthread_cond_signal(condition)`: lets one of those who wait go on, or some of them, as soon as they get the mutex.
   *
   * @param count How many.
   * @throws {PosixError} `EPERM` if this process has not acquired the mutex.
   * @throws {RangeError} If the number is not a positive integer.
   * @throws {TypeError} If it is closed.
   *
   * @example Nobody waits
   * ```ts
   * import { Condition, Mutex } from "@posix/process/ipc";
   * import { assertThrows } from "@std/assert";
   *
   * using mutex = new Mutex();
   * using condition = new Condition(mutex);
   * assertThrows(() => condition.notify(), Error, "EPERM");
   * using _ = mutex.acquire();
   * condition.notify(); // and nothing happens
   * ```
   */
  notify(count = 1): void {
    checkInteger(count, "count", 1);
    this.#guard("notify");
    const words = this.#words("notify");
    const waiters = Atomics.load(words, WAITERS);
    if (waiters <= 0) return;
    const granted = Math.min(count, waiters - Atomics.load(words, GRANTS));
    // In this order, so that one who is killed in between leaves nothing that the next notification does not put right.
    Atomics.store(words, LIMIT, Atomics.load(words, TICKET));
    Atomics.add(words, GRANTS, granted);
    Atomics.add(words, TURN, 1);
    futexWake(words, TURN, Math.max(1, granted));
  }

  /**
   * `pthread_cond_broadcast(condition)`: lets all who wait go on, as soon as they get the mutex.
   *
   * @throws {PosixError} `EPERM` if this process has not acquired the mutex.
   * @throws {TypeError} If it is closed.
   *
   * @example Nobody waits
   * ```ts
   * import { Condition, Mutex } from "@posix/process/ipc";
   * import { assert } from "@std/assert";
   *
   * using mutex = new Mutex();
   * using condition = new Condition(mutex);
   * using guard = mutex.acquire();
   * condition.notifyAll();
   * assert(!guard.ownerDied);
   * ```
   */
  notifyAll(): void {
    this.notify(0x7fff_ffff);
  }

  /**
   * Ends the use of the condition in this process; twice without harm. Others go on with it, and the mutex stays.
   *
   * @throws {PosixError} If its memory cannot be unmapped, which does not happen to memory that was mapped here.
   *
   * @example Using it afterwards
   * ```ts
   * import { Condition, Mutex } from "@posix/process/ipc";
   * import { assertThrows } from "@std/assert";
   *
   * using mutex = new Mutex();
   * const condition = new Condition(mutex);
   * condition.close();
   * using _ = mutex.acquire();
   * assertThrows(() => condition.wait(), TypeError, "it is closed");
   * ```
   */
  close(): void {
    this.#line.interrupt();
    this.#place.close();
  }

  /** Closes the condition. */
  [Symbol.dispose](): void {
    this.close();
  }

  #words(action: string): Int32Array {
    if (this.#place.stale) this.#place.renew(action);
    return this.#place.words;
  }

  /** The guard by which this process has the mutex. */
  #guard(action: string): HeldLock {
    const { guard } = this.#lock;
    if (guard !== undefined) return guard;
    throw errorFor(
      ERRNO.EPERM,
      "pthread_cond_wait",
      () => `Cannot ${action} the condition without its mutex`,
    );
  }

  /** Counts in one who waits, and gives the ticket. */
  #enter(): number {
    const words = this.#words("wait for");
    Atomics.add(words, WAITERS, 1);
    return Atomics.add(words, TICKET, 1);
  }

  /** Takes a notification for the ticket, if there is one. */
  #leave(ticket: number): boolean {
    if (!this.#isGranted(ticket)) return false;
    const words = this.#words("wait for");
    Atomics.sub(words, GRANTS, 1);
    Atomics.sub(words, WAITERS, 1);
    return true;
  }

  /** Counts out one who waits no more; notifications stay for those who are left. */
  #withdraw(): false {
    const words = this.#words("wait for");
    const left = Atomics.sub(words, WAITERS, 1) - 1;
    if (Atomics.load(words, GRANTS) > left) Atomics.store(words, GRANTS, left);
    return false;
  }

  /** Whether there is a notification for those who were there when this ticket was. */
  #isGranted(ticket: number): boolean {
    const words = this.#words("wait for");
    if (Atomics.load(words, GRANTS) <= 0) return false;
    return ((ticket - Atomics.load(words, LIMIT)) | 0) < 0;
  }

  #waiting(ticket: number): Waiting<true> {
    let turn = Atomics.load(this.#words("wait for"), TURN);
    return {
      place: this.#place,
      index: TURN,
      attempt: () => {
        // The turn first: what is notified after this look changes it.
        turn = Atomics.load(this.#words("wait for"), TURN);
        return this.#isGranted(ticket) || undefined;
      },
      mark: () => turn,
    };
  }
}
