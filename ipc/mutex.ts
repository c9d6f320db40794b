import { MUTEX_BYTES } from "../ffi/_robust_mutex.ts";
import {
  type Guard,
  type LockGuard,
  locksWithin,
  RobustLock,
} from "./_robust_lock.ts";
import { SharedPlace, type SharedPlacement } from "./_shared_place.ts";
import {
  timedOut,
  timeoutOf,
  type WaitAsyncOptions,
  type WaitOptions,
} from "./_waiting.ts";

export type {
  Guard,
  LockGuard,
  SharedPlacement,
  WaitAsyncOptions,
  WaitOptions,
};

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
