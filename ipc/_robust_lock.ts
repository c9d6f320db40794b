import { generation } from "../ffi/_after_fork.ts";
import { FUTEX_TID_MASK, FUTEX_WAITERS } from "../ffi/constants.ts";
import { ERRNO } from "../ffi/errno.ts";
import { errorFor } from "../ffi/_results.ts";
import {
  initializeMutex,
  MUTEX_BYTES,
  RobustMutex,
} from "../ffi/_robust_mutex.ts";
import type { SharedPlace } from "./_shared_place.ts";
import { waitBlocking, type Waiting, WaitingLine } from "./_waiting.ts";

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
