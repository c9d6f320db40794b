import { checkInteger } from "../ffi/_arguments.ts";
import { generation } from "../ffi/_after_fork.ts";
import { ERRNO } from "../ffi/errors.ts";
import { futexWake } from "../ffi/_locks.ts";
import { errorFor } from "../ffi/_libc.ts";
import type { Guard } from "./mutex.ts";
import { SharedPlace, type SharedPlacement } from "./_shared_place.ts";
import {
  timedOut,
  timeoutOf,
  type WaitAsyncOptions,
  waitBlocking,
  type Waiting,
  WaitingLine,
  type WaitOptions,
} from "./_waiting.ts";

const BYTES = 64;
const VALUE_MAX = 0x7fff_fffe;

/** The permits plus one; 0 as long as nobody has made the semaphore. */
const COUNT = 0;
const EMPTY = 1;
/** How many wait; too many where some were killed, which costs a system call in vain. */
const WAITERS = 1;

/**
 * `sem_t`, shared by processes: a number of permits, which are taken and given back.
 *
 * Made without memory, it is shared with the processes that are forked from then on. Made in a {@linkcode SharedMemory}, it is the
 * same semaphore for all who make one at that offset, and the first one's value counts.
 *
 * A process that is killed while it waits does no harm. One that is killed *with* a permit takes it along: permits have no owners,
 * and may be given back by another process than that which took them. Where that must not be, use a {@linkcode Mutex}.
 *
 * @example Two at a time
 * ```ts
 * import { Semaphore } from "@posix/process/ipc";
 * import { assertEquals } from "@std/assert";
 *
 * using semaphore = new Semaphore(2);
 * using _first = semaphore.acquire();
 * using _second = semaphore.acquire();
 * assertEquals(semaphore.value, 0);
 * assertEquals(semaphore.tryAcquire(), null);
 * ```
 *
 * @see {@link https://man7.org/linux/man-pages/man7/sem_overview.7.html | sem_overview(7)}
 */
export class Semaphore implements Disposable {
  /** How many bytes it takes in memory. */
  static readonly BYTES: number = BYTES;

  readonly #place: SharedPlace;
  readonly #line = new WaitingLine();
  readonly #waiting: Waiting<Guard>;

  /**
   * Makes the semaphore, or finds it where it was made before.
   *
   * @param value How many permits there are at first.
   * @param placement The memory in which it lies, if not its own.
   */
  constructor(value = 1, placement: SharedPlacement = {}) {
    checkInteger(value, "value", 0, VALUE_MAX);
    const place = new SharedPlace("semaphore", BYTES, placement);
    this.#place = place;
    Atomics.compareExchange(place.words, COUNT, 0, value + 1);
    this.#waiting = {
      place,
      index: COUNT,
      attempt: () => this.tryAcquire() ?? undefined,
      mark: () =>
        Atomics.load(place.words, COUNT) === EMPTY ? EMPTY : undefined,
    };
  }

  /** How many permits there are; the next moment there may be others. Throws a `TypeError` if it is closed. */
  get value(): number {
    return Atomics.load(this.#words("look at"), COUNT) - 1;
  }

  /**
   * `sem_wait(sem)`: waits until there is a permit, and takes it.
   *
   * Blocks the thread, event loop included; see {@linkcode Semaphore.prototype.acquireAsync | Semaphore.acquireAsync}
   * for the version that does not.
   *
   * @param options How long to wait.
   * @returns What gives the permit back; or call {@linkcode Semaphore.prototype.release | Semaphore.release}, from wherever
   * it may be.
   * @throws {PosixError} `ETIMEDOUT` if the time is over.
   * @throws {RangeError} If the timeout is negative or `NaN`.
   * @throws {TypeError} If it is closed.
   *
   * @example No waiting for ever
   * ```ts
   * import { Semaphore } from "@posix/process/ipc";
   * import { assertThrows } from "@std/assert";
   *
   * using semaphore = new Semaphore(0);
   * assertThrows(() => semaphore.acquire({ timeout: 5 }), Error, "ETIMEDOUT");
   * ```
   */
  acquire(options: WaitOptions = {}): Guard {
    const timeout = timeoutOf(options);
    const guard = this.tryAcquire();
    if (guard !== null) return guard;
    this.#expect(1);
    try {
      const guard = waitBlocking(this.#waiting, timeout);
      if (guard !== undefined) return guard;
    } finally {
      this.#expect(-1);
    }
    throw timedOut("acquire the semaphore", "sem_wait", timeout);
  }

  /**
   * `sem_trywait(sem)`: takes a permit if there is one.
   *
   * @returns What gives it back; `null` if there is none.
   * @throws {TypeError} If it is closed.
   *
   * @example The last one
   * ```ts
   * import { Semaphore } from "@posix/process/ipc";
   * import { assert, assertEquals } from "@std/assert";
   *
   * using semaphore = new Semaphore(1);
   * assert(semaphore.tryAcquire() !== null);
   * assertEquals(semaphore.tryAcquire(), null);
   * ```
   */
  tryAcquire(): Guard | null {
    const words = this.#words("acquire");
    for (let count = Atomics.load(words, COUNT); count > EMPTY;) {
      const found = Atomics.compareExchange(words, COUNT, count, count - 1);
      if (found === count) return new Permit(this);
      count = found;
    }
    return null;
  }

  /**
   * `sem_wait(sem)` without blocking the event loop: waits until there is a permit, and takes it.
   *
   * Those of this process who wait do so in line, and take one thread of Deno's pool together. A promise that is pending when the
   * process forks does not settle in the child.
   *
   * @param options How long to wait, and what ends it before.
   * @returns What gives the permit back.
   * @throws {PosixError} `ETIMEDOUT` if the time is over.
   * @throws {RangeError} If the timeout is negative or `NaN`.
   * @throws {TypeError} If it is closed, or gets closed meanwhile.
   *
   * @example Given by another
   * ```ts
   * import { Semaphore } from "@posix/process/ipc";
   * import { assertEquals } from "@std/assert";
   *
   * using semaphore = new Semaphore(0);
   * const permit = semaphore.acquireAsync();
   * semaphore.release();
   * await permit;
   * assertEquals(semaphore.value, 0);
   * ```
   */
  async acquireAsync(options: WaitAsyncOptions = {}): Promise<Guard> {
    const timeout = timeoutOf(options);
    this.#expect(1);
    try {
      const guard = await this.#line
        .wait(this.#waiting, timeout, options.signal);
      if (guard !== undefined) return guard;
    } finally {
      this.#expect(-1);
    }
    throw timedOut("acquire the semaphore", "sem_wait", timeout);
  }

  /**
   * `sem_post(sem)`: adds permits, and wakes as many of those who wait.
   *
   * @param count How many.
   * @throws {RangeError} If the number is not a positive integer.
   * @throws {PosixError} `EOVERFLOW` if there would be more than 2³¹ − 2.
   * @throws {TypeError} If it is closed.
   *
   * @example Three permits
   * ```ts
   * import { Semaphore } from "@posix/process/ipc";
   * import { assertEquals } from "@std/assert";
   *
   * using semaphore = new Semaphore(0);
   * semaphore.release(3);
   * assertEquals(semaphore.value, 3);
   * ```
   */
  release(count = 1): void {
    checkInteger(count, "count", 1, VALUE_MAX);
    const words = this.#words("release");
    for (let before = Atomics.load(words, COUNT);;) {
      if (before - 1 > VALUE_MAX - count) {
        throw errorFor(
          ERRNO.EOVERFLOW,
          "sem_post",
          () => "Cannot release the semaphore",
        );
      }
      const found = Atomics
        .compareExchange(words, COUNT, before, before + count);
      if (found === before) break;
      before = found;
    }
    if (Atomics.load(words, WAITERS) > 0) futexWake(words, COUNT, count);
  }

  /**
   * Ends the use of the semaphore in this process; twice without harm. Others go on with it.
   *
   * @throws {PosixError} If its memory cannot be unmapped, which does not happen to memory that was mapped here.
   *
   * @example Using it afterwards
   * ```ts
   * import { Semaphore } from "@posix/process/ipc";
   * import { assertThrows } from "@std/assert";
   *
   * const semaphore = new Semaphore();
   * semaphore.close();
   * assertThrows(() => semaphore.acquire(), TypeError, "it is closed");
   * ```
   */
  close(): void {
    this.#line.interrupt();
    this.#place.close();
  }

  /** Closes the semaphore. */
  [Symbol.dispose](): void {
    this.close();
  }

  #words(action: string): Int32Array {
    if (this.#place.stale) this.#place.renew(action);
    return this.#place.words;
  }

  /** Says that there is one more who waits, or one less. */
  #expect(change: number): void {
    if (change < 0 && this.#place.stale) return;
    Atomics.add(this.#words("acquire"), WAITERS, change);
  }
}

/** A permit that was taken. */
class Permit implements Guard {
  readonly #semaphore: Semaphore;
  readonly #generation = generation;
  #released = false;

  constructor(semaphore: Semaphore) {
    this.#semaphore = semaphore;
  }

  release(): void {
    if (this.#released) return;
    this.#released = true;
    if (this.#generation === generation) this.#semaphore.release();
  }

  [Symbol.dispose](): void {
    this.release();
  }
}
