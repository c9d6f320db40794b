import { generation } from "../ffi/_after_fork.ts";
import { ERRNO } from "../ffi/errors.ts";
import { futexWake, MUTEX_BYTES } from "../ffi/_locks.ts";
import { errorFor } from "../ffi/_libc.ts";
import { type HeldLock, type LockGuard, RobustLock } from "./mutex.ts";
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

const BYTES = 4096;
const ALL = 0x7fff_ffff;

/** The lock of whoever writes, or is about to. */
const WRITER = 0;
/** 1 while somebody writes. */
const WRITING = MUTEX_BYTES / 4;
/** The locks of those who read, one each. */
const READERS = 2 * MUTEX_BYTES;
const READERS_MAX = (BYTES - READERS) / MUTEX_BYTES;

/**
 * `pthread_rwlock_t`, shared by processes and robust: many may read at a time, or one may write.
 *
 * It is made of robust mutexes, one for each reader: whoever writes has all of them. So nobody waits for the dead: a reader that
 * is killed leaves nothing behind, and one that is killed while it writes is reported to the next ones by
 * {@linkcode LockGuard.ownerDied}. Whoever is about to write comes before those who come to read; but a process that reads already may do so again
 * by {@linkcode RwLock.prototype.acquireRead | RwLock.acquireRead}.
 *
 * Made without memory, it is shared with the processes that are forked from then on. Made in a {@linkcode SharedMemory}, it is the
 * same lock for all who make one at that offset; the memory must be filled with zeros before. Up to 62 processes can read at
 * a time; more have to wait.
 *
 * Reading costs what a {@linkcode Mutex} does, writing some microseconds. It needs glibc 2.34 or newer, as that does.
 *
 * @example Readers side by side
 * ```ts
 * import { RwLock } from "@posix/process/ipc";
 * import { assertEquals } from "@std/assert";
 *
 * using lock = new RwLock();
 * {
 *   using _first = lock.acquireRead();
 *   using _second = lock.acquireRead();
 *   assertEquals(lock.tryAcquireWrite(), null);
 * }
 * using _ = lock.acquireWrite();
 * assertEquals(lock.tryAcquireRead(), null);
 * ```
 *
 * @see {@link https://man7.org/linux/man-pages/man3/pthread_rwlock_rdlock.3p.html | pthread_rwlock_rdlock(3p)}
 */
export class RwLock implements Disposable {
  /** How many bytes it takes in memory. */
  static readonly BYTES: number = BYTES;

  readonly #place: SharedPlace;
  readonly #writer: RobustLock;
  readonly #readers: RobustLock[] = [];
  readonly #line = new WaitingLine();
  /** What this process reads by, however many times. */
  #reader: HeldLock | undefined;
  #reads = 0;
  #write: WriteGuard | undefined;
  /** Where to look first for a free place to read: that of the last time. */
  #next = Math.floor(Math.random() * READERS_MAX);

  /**
   * Makes the lock, or finds it where it was made before.
   *
   * @param placement The memory in which it lies, if not its own.
   */
  constructor(placement: SharedPlacement = {}) {
    const place = new SharedPlace("lock", BYTES, placement);
    this.#place = place;
    this.#writer = new RobustLock(place, WRITER, "lock");
    for (let index = 0; index < READERS_MAX; index++) {
      const at = READERS + index * MUTEX_BYTES;
      this.#readers.push(new RobustLock(place, at, "lock"));
    }
  }

  /**
   * `pthread_rwlock_rdlock(lock)`: waits until nobody writes or is about to, and keeps others from it.
   *
   * Blocks the thread, event loop included; see {@linkcode RwLock.prototype.acquireReadAsync | RwLock.acquireReadAsync}
   * for the version that does not.
   *
   * @param options How long to wait.
   * @returns What releases it.
   * @throws {PosixError} `ETIMEDOUT` if the time is over; `EDEADLK` if this process writes itself.
   * @throws {RangeError} If the timeout is negative or `NaN`.
   * @throws {TypeError} If it is closed.
   *
   * @example Reading
   * ```ts
   * import { RwLock } from "@posix/process/ipc";
   * import { assertEquals } from "@std/assert";
   *
   * using lock = new RwLock();
   * using guard = lock.acquireRead({ timeout: 1000 });
   * assertEquals(guard.ownerDied, false);
   * ```
   */
  acquireRead(options: WaitOptions = {}): LockGuard {
    const timeout = timeoutOf(options);
    const first = this.#read(true);
    if (first !== undefined) return first;
    this.#refuseDeadlock("pthread_rwlock_rdlock");
    const guard = waitBlocking(this.#reading(), timeout);
    if (guard !== undefined) return guard;
    throw timedOut("read under the lock", "pthread_rwlock_rdlock", timeout);
  }

  /**
   * `pthread_rwlock_tryrdlock(lock)`: keeps others from writing, if nobody does or is about to.
   *
   * @returns What releases it; `null` if somebody writes or is about to, or too many read.
   * @throws {TypeError} If it is closed.
   *
   * @example Nobody writes
   * ```ts
   * import { RwLock } from "@posix/process/ipc";
   * import { assert } from "@std/assert";
   *
   * using lock = new RwLock();
   * using guard = lock.tryAcquireRead();
   * assert(guard !== null);
   * ```
   */
  tryAcquireRead(): LockGuard | null {
    return this.#read(true) ?? null;
  }

  /**
   * `pthread_rwlock_rdlock(lock)` without blocking the event loop: waits until nobody writes or is about to, and keeps others from it.
   *
   * A task that reads already must not call it: somebody may be about to write, and wait for that very task.
   *
   * A promise that is pending when the process forks does not settle in the child.
   *
   * @param options How long to wait, and what ends it before.
   * @returns What releases it.
   * @throws {PosixError} `ETIMEDOUT` if the time is over.
   * @throws {RangeError} If the timeout is negative or `NaN`.
   * @throws {TypeError} If it is closed, or gets closed meanwhile.
   *
   * @example Reading
   * ```ts
   * import { RwLock } from "@posix/process/ipc";
   * import { assertEquals } from "@std/assert";
   *
   * using lock = new RwLock();
   * using guard = await lock.acquireReadAsync();
   * assertEquals(guard.ownerDied, false);
   * ```
   */
  async acquireReadAsync(options: WaitAsyncOptions = {}): Promise<LockGuard> {
    const timeout = timeoutOf(options);
    const guard = await this.#line
      .wait(this.#reading(), timeout, options.signal);
    if (guard !== undefined) return guard;
    throw timedOut("read under the lock", "pthread_rwlock_rdlock", timeout);
  }

  /**
   * `pthread_rwlock_wrlock(lock)`: waits until nobody reads or writes, and keeps others from both.
   *
   * Blocks the thread, event loop included; see
   * {@linkcode RwLock.prototype.acquireWriteAsync | RwLock.acquireWriteAsync} for the version that does not.
   *
   * @param options How long to wait.
   * @returns What releases it.
   * @throws {PosixError} `ETIMEDOUT` if the time is over; `EDEADLK` if this process reads or writes itself.
   * @throws {RangeError} If the timeout is negative or `NaN`.
   * @throws {TypeError} If it is closed.
   *
   * @example Writing
   * ```ts
   * import { RwLock } from "@posix/process/ipc";
   * import { assertThrows } from "@std/assert";
   *
   * using lock = new RwLock();
   * using _ = lock.acquireWrite({ timeout: 1000 });
   * assertThrows(() => lock.acquireWrite(), Error, "EDEADLK");
   * ```
   */
  acquireWrite(options: WaitOptions = {}): LockGuard {
    const timeout = timeoutOf(options);
    const deadline = performance.now() + timeout;
    const guard = new WriteGuard(this.#place);
    for (const lock of [this.#writer, ...this.#readers]) {
      const left = Math.max(0, deadline - performance.now());
      if (!guard.add(() => lock.acquire(left))) {
        throw timedOut(
          "write under the lock",
          "pthread_rwlock_wrlock",
          timeout,
        );
      }
    }
    return this.#write = guard.complete();
  }

  /**
   * `pthread_rwlock_trywrlock(lock)`: keeps others from reading and writing, if nobody does.
   *
   * @returns What releases it; `null` if somebody reads or writes.
   * @throws {TypeError} If it is closed.
   *
   * @example Nobody reads
   * ```ts
   * import { RwLock } from "@posix/process/ipc";
   * import { assert } from "@std/assert";
   *
   * using lock = new RwLock();
   * using guard = lock.tryAcquireWrite();
   * assert(guard !== null);
   * ```
   */
  tryAcquireWrite(): LockGuard | null {
    const guard = new WriteGuard(this.#place);
    for (const lock of [this.#writer, ...this.#readers]) {
      if (!guard.add(() => lock.tryAcquire())) return null;
    }
    return this.#write = guard.complete();
  }

  /**
   * `pthread_rwlock_wrlock(lock)` without blocking the event loop: waits until nobody reads or writes, and keeps others from both.
   *
   * A promise that is pending when the process forks does not settle in the child.
   *
   * @param options How long to wait, and what ends it before.
   * @returns What releases it.
   * @throws {PosixError} `ETIMEDOUT` if the time is over.
   * @throws {RangeError} If the timeout is negative or `NaN`.
   * @throws {TypeError} If it is closed, or gets closed meanwhile.
   *
   * @example Waiting for a reader
   * ```ts
   * import { RwLock } from "@posix/process/ipc";
   * import { assertEquals } from "@std/assert";
   *
   * using lock = new RwLock();
   * const reader = lock.acquireRead();
   * const writer = lock.acquireWriteAsync({ timeout: 5000 });
   * reader.release();
   * using guard = await writer;
   * assertEquals(guard.ownerDied, false);
   * ```
   */
  async acquireWriteAsync(options: WaitAsyncOptions = {}): Promise<LockGuard> {
    const timeout = timeoutOf(options);
    const deadline = performance.now() + timeout;
    const guard = new WriteGuard(this.#place);
    for (const lock of [this.#writer, ...this.#readers]) {
      const left = Math.max(0, deadline - performance.now());
      const added = await guard.addAsync(() =>
        lock.acquireAsync(left, options.signal)
      );
      if (!added) {
        throw timedOut(
          "write under the lock",
          "pthread_rwlock_wrlock",
          timeout,
        );
      }
    }
    return this.#write = guard.complete();
  }

  /**
   * Ends the use of the lock in this process; twice without harm. Others go on with it.
   *
   * @throws {PosixError} If its memory cannot be unmapped, which does not happen to memory that was mapped here.
   *
   * @example Using it afterwards
   * ```ts
   * import { RwLock } from "@posix/process/ipc";
   * import { assertThrows } from "@std/assert";
   *
   * const lock = new RwLock();
   * lock.close();
   * assertThrows(() => lock.acquireRead(), TypeError, "it is closed");
   * ```
   */
  close(): void {
    // Whoever closes it writes no more, and once it is closed there is no saying so.
    this.#write?.settle();
    this.#line.interrupt();
    for (const lock of [this.#writer, ...this.#readers]) lock.interrupt();
    this.#place.close();
  }

  /** Closes the lock. */
  [Symbol.dispose](): void {
    this.close();
  }

  /** Reads, if nobody writes or is about to; `again` where one who reads already is not to wait for who waits for it. */
  #read(again: boolean): LockGuard | undefined {
    if (this.#place.stale) this.#place.renew("acquire");
    const reader = this.#reader?.held ? this.#reader : undefined;
    if (this.#writer.taken && !(again && reader)) return undefined;
    if (reader !== undefined) return this.#readBy(reader);
    for (let tried = 0; tried < READERS_MAX; tried++) {
      const reader = this.#readers[this.#next]!.tryAcquire();
      if (reader !== undefined) {
        // Whether the last one who had this very lock has died with it says nothing: it may have been a reader.
        const { words } = this.#place;
        reader.ownerDied = Atomics.load(words, WRITING) !== 0;
        this.#reads = 0;
        return this.#readBy(this.#reader = reader);
      }
      this.#next = (this.#next + 1) % READERS_MAX;
    }
  }

  #readBy(reader: HeldLock): LockGuard {
    this.#reads++;
    return new ReadGuard(reader, () => {
      // Those of a parent say nothing about what its child reads by.
      if (reader === this.#reader && --this.#reads > 0) return;
      reader.release();
    });
  }

  #reading(): Waiting<LockGuard> {
    const place = this.#place;
    const writer = this.#writer;
    let blocking = writer;
    let slept = false;
    return {
      place,
      get index(): number {
        return blocking.index;
      },
      attempt: () => {
        const guard = this.#read(false);
        // The writer has woken one; but all who wait to read may go on.
        if (slept) futexWake(place.words, writer.index, ALL);
        slept = false;
        return guard;
      },
      mark: () => {
        blocking = writer.taken ? writer : this.#readers[this.#next]!;
        slept = blocking === writer;
        return blocking.mark();
      },
    };
  }

  /** Nobody but this very thread could release what it has. */
  #refuseDeadlock(syscall: string): void {
    if (this.#writer.guard === undefined) return;
    throw errorFor(
      ERRNO.EDEADLK,
      syscall,
      () => "Cannot read under the lock",
    );
  }
}

/** One of the times that this process reads. */
class ReadGuard implements LockGuard {
  readonly #release: () => void;
  #released = false;
  readonly ownerDied: boolean;

  constructor(reader: HeldLock, release: () => void) {
    this.ownerDied = reader.ownerDied;
    this.#release = release;
  }

  release(): void {
    if (this.#released) return;
    this.#released = true;
    this.#release();
  }

  [Symbol.dispose](): void {
    this.release();
  }
}

/** All the locks that it takes to write. */
class WriteGuard implements LockGuard {
  readonly #place: SharedPlace;
  readonly #guards: HeldLock[] = [];
  readonly #generation = generation;
  #words: Int32Array | undefined;
  ownerDied = false;

  constructor(place: SharedPlace) {
    this.#place = place;
  }

  /** Acquires one more; lets go of all if that fails. */
  add(acquire: () => HeldLock | undefined): boolean {
    let guard: HeldLock | undefined;
    try {
      guard = acquire();
    } finally {
      this.#keep(guard);
    }
    return guard !== undefined;
  }

  /** The same without blocking the event loop. */
  async addAsync(
    acquire: () => Promise<HeldLock | undefined>,
  ): Promise<boolean> {
    let guard: HeldLock | undefined;
    try {
      guard = await acquire();
    } finally {
      this.#keep(guard);
    }
    return guard !== undefined;
  }

  /** Says that somebody writes, now that all are acquired. */
  complete(): this {
    this.#words = this.#place.words;
    this.ownerDied = Atomics.exchange(this.#words, WRITING, 1) !== 0;
    return this;
  }

  /** Says that nobody writes any more. */
  settle(): void {
    const words = this.#words;
    this.#words = undefined;
    if (this.#generation !== generation || words === undefined) return;
    if (words.length > 0) Atomics.store(words, WRITING, 0);
  }

  release(): void {
    this.settle();
    for (const guard of this.#guards.splice(0).reverse()) guard.release();
  }

  [Symbol.dispose](): void {
    this.release();
  }

  #keep(guard: HeldLock | undefined): void {
    if (guard === undefined) this.release();
    else this.#guards.push(guard);
  }
}
