import { generation } from "../ffi/_after_fork.ts";
import { errorFor } from "../ffi/_libc.ts";
import { initializeMutex, MUTEX_BYTES, RobustMutex } from "../ffi/_locks.ts";
import { FUTEX_TID_MASK, FUTEX_WAITERS } from "../ffi/constants.ts";
import { ERRNO } from "../ffi/errors.ts";
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

/** The pauses between two looks, from 1 to 64 µs. */
const SPIN_FIRST_MS = 0.001;
const SPIN_LAST_MS = 0.064;

/** What has been acquired, and is to be released. */
export interface Guard extends Disposable {
  /**
   * Lets go of it; twice without harm. In a child that was forked meanwhile it does nothing: the parent has it.
   */
  release(): void;
}

/** A lock that has been acquired, and is to be released. */
export interface LockGuard extends Guard {
  /**
   * Whether the lock was taken over from a process that has died with it: what it protects may be half changed. Told once, to
   * the first who has the lock then, who is to put things right.
   */
  readonly ownerDied: boolean;
}

/** A robust mutex at some offset of a place: the piece that the public locks are made of. */
export class RobustLock {
  readonly place: SharedPlace;
  readonly #name: string;
  readonly #at: number;
  readonly #line = new WaitingLine();
  #mutex: RobustMutex;
  #words: Int32Array;
  #guard: HeldLock | undefined;

  /** `at` is its offset in the place, and `name` what it is called in messages. */
  constructor(place: SharedPlace, at: number, name: string) {
    this.place = place;
    this.#at = at;
    this.#name = name;
    this.#words = place.words;
    this.#mutex = new RobustMutex(place.mapping, place.offset + at);
    const words = this.#words.subarray(at / 4, (at + MUTEX_BYTES) / 4);
    if (!initializeMutex(words)) {
      place.close();
      throw new TypeError(
        `Cannot use the ${name}: its memory holds something else`,
      );
    }
    // Shows V8 the way of a lock that is taken. Were it to come upon it only after it has optimized the other one, it would
    // start from scratch.
    this.acquire(-1);
  }

  /** The guard that this process has it by, if it has. */
  get guard(): HeldLock | undefined {
    return this.#guard?.held ? this.#guard : undefined;
  }

  /** The word that tells who has it: the id of the thread, and two flags. */
  get word(): number {
    return Atomics.load(this.#words, this.#at / 4);
  }

  /** Whether somebody has it, as far as can be seen from outside. */
  get taken(): boolean {
    return (this.word & FUTEX_TID_MASK) !== 0;
  }

  /** Takes it if nobody has it. */
  tryAcquire(): HeldLock | undefined {
    const result = this.#take();
    return typeof result === "number" ? undefined : result;
  }

  /** Waits until it can be taken; `undefined` if the time is over. */
  acquire(timeout: number): HeldLock | undefined {
    const first = timeout < 0 ? ERRNO.EBUSY : this.#take();
    return typeof first === "number" ? this.#contend(first, timeout) : first;
  }

  /** Waits for one that could not be taken at once, and why. */
  #contend(errno: number, timeout: number): HeldLock | undefined {
    if (timeout < 0) return undefined;
    if (errno === ERRNO.EDEADLK) {
      // Nobody but this very thread could release it.
      throw errorFor(
        ERRNO.EDEADLK,
        "pthread_mutex_lock",
        () => `Cannot acquire the ${this.#name}`,
      );
    }
    if (timeout === 0) return undefined;
    return this.#spin() ?? waitBlocking(this.#waiting, timeout);
  }

  /** The same without blocking the event loop. */
  acquireAsync(
    timeout: number,
    signal?: AbortSignal,
  ): Promise<HeldLock | undefined> {
    return this.#line.wait(this.#waiting, timeout, signal);
  }

  /** The index of its word in the place. */
  get index(): number {
    return this.#at / 4;
  }

  /** Has the release wake somebody, and gives what the word then is; `undefined` if nobody has the lock, or it changes hands. */
  mark(): number | undefined {
    const { word } = this;
    if ((word & FUTEX_TID_MASK) === 0) return undefined;
    const marked = word | FUTEX_WAITERS;
    if (word === marked) return marked;
    const found = Atomics
      .compareExchange(this.#words, this.index, word, marked);
    return found === word ? marked : undefined;
  }

  /** Gives the lock, just acquired by another guard, back to the one that had it before. */
  restore(guard: HeldLock, by: HeldLock): void {
    guard.adopt(by);
    this.#guard = guard;
  }

  /** Ends the waiting of this process, which fails as the place gets closed now. */
  interrupt(): void {
    this.#line.interrupt();
  }

  readonly #waiting: Waiting<HeldLock> = ((lock: RobustLock) => ({
    get place(): SharedPlace {
      return lock.place;
    },
    get index(): number {
      return lock.index;
    },
    attempt(): HeldLock | undefined {
      const guard = lock.tryAcquire();
      // Others may sleep, of whom the word, being ours now, no longer tells.
      if (guard !== undefined) {
        Atomics.or(lock.#words, lock.#at / 4, FUTEX_WAITERS);
      }
      return guard;
    },
    mark: () => lock.mark(),
  }))(this);

  /**
   * Looks again for a moment, ever more rarely, before going to sleep: most locks are held for less than that takes, and whoever
   * does not sleep need not be woken by a system call.
   */
  #spin(): HeldLock | undefined {
    if (navigator.hardwareConcurrency === 1) return undefined;
    for (let pause = SPIN_FIRST_MS; pause <= SPIN_LAST_MS; pause *= 4) {
      const until = performance.now() + pause;
      while (performance.now() < until);
      if (this.taken) continue;
      const guard = this.tryAcquire();
      if (guard !== undefined) return guard;
    }
  }

  /** The lock, or the error number that tells why not. */
  #take(): HeldLock | number {
    if (this.place.stale) this.place.renew("acquire");
    if (this.#words !== this.place.words) this.#follow();
    const mutex = this.#mutex;
    const errno = mutex.tryLock();
    if (errno === 0) {
      return this.#guard = new HeldLock(mutex, false);
    }
    if (errno === ERRNO.EOWNERDEAD) {
      return this.#guard = new HeldLock(mutex, true);
    }
    if (errno === ERRNO.EBUSY || errno === ERRNO.EDEADLK) return errno;
    throw errorFor(
      errno,
      "pthread_mutex_trylock",
      () => `Cannot acquire the ${this.#name}`,
    );
  }

  /** The place was mapped anew. */
  #follow(): void {
    const { mapping, offset, words } = this.place;
    this.#words = words;
    this.#mutex = new RobustMutex(mapping, offset + this.#at);
  }
}

/** The locks within the public mutexes, for what is built upon them. */
export const locksWithin: WeakMap<object, RobustLock> = new WeakMap();

/** A lock that this process has. */
export class HeldLock implements LockGuard {
  #mutex: RobustMutex;
  /** The generation in which it was acquired; no such thing once it is released. */
  #generation = generation;
  ownerDied: boolean;

  constructor(mutex: RobustMutex, ownerDied: boolean) {
    this.#mutex = mutex;
    this.ownerDied = ownerDied;
  }

  /** Whether this process has the lock by it. */
  get held(): boolean {
    return this.#generation === generation;
  }

  /** Takes over what another guard has acquired. */
  adopt(other: HeldLock): void {
    this.#mutex = other.#mutex;
    this.#generation = other.#generation;
    this.ownerDied = other.ownerDied;
    other.#generation = RELEASED;
  }

  release(): void {
    const acquiredIn = this.#generation;
    if (acquiredIn === RELEASED) return;
    this.#generation = RELEASED;
    this.#mutex.unlock(acquiredIn);
  }

  [Symbol.dispose](): void {
    this.release();
  }
}

const RELEASED = -1;

/**
 * `pthread_mutex_t`, shared by processes and robust: a lock that one process at a time can have.
 *
 * Where its owner dies, killed or not, the next one gets it at once and is told so by {@linkcode LockGuard.ownerDied}.
 *
 * Made without memory, it is shared with the processes that are forked from then on. Made in a {@linkcode SharedMemory}, it is the
 * same mutex for all who make one at that offset, whoever comes first; the memory must be filled with zeros before.
 *
 * It belongs to the process as a whole: whoever acquires it again without releasing it gets `EDEADLK`, or with
 * {@linkcode Mutex.prototype.acquireAsync | Mutex.acquireAsync} waits in line. A forked child does not have what its
 * parent has. While it is acquired, closing its memory detaches it, but leaves it mapped until the release.
 *
 * Acquiring and releasing takes tens of nanoseconds where nobody else wants it; JavaScript's `using` adds a few hundred, which
 * {@linkcode Guard.release} in a `finally` does without. It needs glibc 2.34 or newer, where libpthread is part of libc.
 *
 * @example One at a time
 * ```ts
 * import { Mutex, SharedValue } from "@posix/process/ipc";
 * import { _exit, fork } from "@posix/process/process";
 * import { waitpid } from "@posix/process/wait";
 * import { assertEquals } from "@std/assert";
 *
 * using mutex = new Mutex();
 * using count = new SharedValue("int32");
 * const add = () => {
 *   for (let i = 0; i < 1000; i++) {
 *     using _ = mutex.acquire();
 *     count.value++;
 *   }
 * };
 * const pid = fork();
 * add();
 * if (pid === 0) _exit(0);
 * waitpid(pid);
 * assertEquals(count.value, 2000);
 * ```
 *
 * @example An owner that dies
 * ```ts
 * import { Mutex } from "@posix/process/ipc";
 * import { _exit, fork } from "@posix/process/process";
 * import { assert } from "@std/assert";
 * import { waitpid } from "@posix/process/wait";
 *
 * using mutex = new Mutex();
 * const pid = fork();
 * if (pid === 0) {
 *   mutex.acquire();
 *   _exit(1);
 * }
 * waitpid(pid);
 * using guard = mutex.acquire();
 * assert(guard.ownerDied);
 * ```
 *
 * @see {@link https://man7.org/linux/man-pages/man3/pthread_mutexattr_setrobust.3.html | pthread_mutexattr_setrobust(3)}
 * @see {@link https://man7.org/linux/man-pages/man3/pthread_mutex_lock.3p.html | pthread_mutex_lock(3p)}
 */
export class Mutex implements Disposable {
  /** How many bytes it takes in memory. */
  static readonly BYTES: number = MUTEX_BYTES;

  readonly #place: SharedPlace;
  readonly #lock: RobustLock;

  /**
   * Makes the mutex, or finds it where it was made before.
   *
   * @param placement The memory in which it lies, if not its own.
   */
  constructor(placement: SharedPlacement = {}) {
    this.#place = new SharedPlace("mutex", MUTEX_BYTES, placement);
    this.#lock = new RobustLock(this.#place, 0, "mutex");
    locksWithin.set(this, this.#lock);
  }

  /**
   * `pthread_mutex_lock(mutex)`: waits until nobody has the mutex, and takes it.
   *
   * Blocks the thread, event loop included; see {@linkcode Mutex.prototype.acquireAsync | Mutex.acquireAsync} for the
   * version that does not.
   *
   * @param options How long to wait.
   * @returns What releases it.
   * @throws {PosixError} `ETIMEDOUT` if the time is over; `EDEADLK` if this process has it already.
   * @throws {RangeError} If the timeout is negative or `NaN`.
   * @throws {TypeError} If it is closed.
   *
   * @example No waiting for ever
   * ```ts
   * import { Mutex } from "@posix/process/ipc";
   * import { assertThrows } from "@std/assert";
   *
   * using mutex = new Mutex();
   * using _ = mutex.acquire({ timeout: 1000 });
   * assertThrows(() => mutex.acquire({ timeout: 1000 }), Error, "EDEADLK");
   * ```
   */
  acquire(options?: WaitOptions): LockGuard {
    const timeout = options === undefined ? Infinity : timeoutOf(options);
    const guard = this.#lock.acquire(timeout);
    if (guard !== undefined) return guard;
    throw timedOut("acquire the mutex", "pthread_mutex_lock", timeout);
  }

  /**
   * `pthread_mutex_trylock(mutex)`: takes the mutex if nobody has it.
   *
   * @returns What releases it; `null` if somebody has it, this process included.
   * @throws {TypeError} If it is closed.
   *
   * @example Taken
   * ```ts
   * import { Mutex } from "@posix/process/ipc";
   * import { assert, assertEquals } from "@std/assert";
   *
   * using mutex = new Mutex();
   * const guard = mutex.tryAcquire();
   * assertEquals(mutex.tryAcquire(), null);
   * guard?.release();
   * assert(guard !== null);
   * ```
   */
  tryAcquire(): LockGuard | null {
    return this.#lock.tryAcquire() ?? null;
  }

  /**
   * `pthread_mutex_lock(mutex)` without blocking the event loop: waits until nobody has the mutex, and takes it.
   *
   * Those of this process who wait do so in line, and take one thread of Deno's pool together. A promise that is pending when the
   * process forks does not settle in the child.
   *
   * @param options How long to wait, and what ends it before.
   * @returns What releases it.
   * @throws {PosixError} `ETIMEDOUT` if the time is over.
   * @throws {RangeError} If the timeout is negative or `NaN`.
   * @throws {TypeError} If it is closed, or gets closed meanwhile.
   *
   * @example Two tasks of one process
   * ```ts
   * import { Mutex } from "@posix/process/ipc";
   * import { assertEquals } from "@std/assert";
   *
   * using mutex = new Mutex();
   * const order: string[] = [];
   * const task = async (name: string) => {
   *   using _ = await mutex.acquireAsync({ timeout: 5000 });
   *   order.push(`${name} begins`);
   *   await Promise.resolve();
   *   order.push(`${name} ends`);
   * };
   * await Promise.all([task("a"), task("b")]);
   * assertEquals(order, ["a begins", "a ends", "b begins", "b ends"]);
   * ```
   */
  async acquireAsync(options: WaitAsyncOptions = {}): Promise<LockGuard> {
    const timeout = timeoutOf(options);
    const guard = await this.#lock.acquireAsync(timeout, options.signal);
    if (guard !== undefined) return guard;
    throw timedOut("acquire the mutex", "pthread_mutex_lock", timeout);
  }

  /**
   * Ends the use of the mutex in this process; twice without harm. Others go on with it.
   *
   * @throws {PosixError} If its memory cannot be unmapped, which does not happen to memory that was mapped here.
   *
   * @example Using it afterwards
   * ```ts
   * import { Mutex } from "@posix/process/ipc";
   * import { assertThrows } from "@std/assert";
   *
   * const mutex = new Mutex();
   * mutex.close();
   * assertThrows(() => mutex.acquire(), TypeError, "it is closed");
   * ```
   */
  close(): void {
    this.#lock.interrupt();
    this.#place.close();
  }

  /** Closes the mutex. */
  [Symbol.dispose](): void {
    this.close();
  }
}
