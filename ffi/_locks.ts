import { generation, onForkedChild } from "./_after_fork.ts";
import { refOp, stopTimer, type Timer, unrefOp } from "./_deno_core.ts";
import { checkErrorNumber, checkValue, errorFor, readErrno } from "./_libc.ts";
import { findMapping, type Mapping } from "./_memory.ts";
import {
  futexSymbols,
  mutexSymbols,
  sharedFutexWaitOnPool,
} from "./_symbols.ts";
import {
  FUTEX_WAIT,
  FUTEX_WAKE,
  PTHREAD_MUTEX_ERRORCHECK,
  PTHREAD_MUTEX_ROBUST,
  PTHREAD_PROCESS_SHARED,
  SYS_futex,
} from "./constants.ts";
import { ERRNO } from "./errors.ts";

/**
 * `futex(2)` on words of shared memory: sleeping until another process changes one and says so.
 *
 * The futex is a shared one: processes find each other by what is mapped, not by the address. A wait may end early for no
 * reason, so whoever waits looks at the word again.
 */

/** Why a wait has ended: somebody has woken it; the word was not as expected; the time was over. */
type FutexOutcome = "woken" | "changed" | "timed-out";

const SYS = BigInt(SYS_futex);
const ALL = 0x7fff_ffff;

/** How long a thread of the pool sleeps at most before it is sent back to sleep. */
const SLICE_MS = 1000;

/** How often one that is to stop waiting is woken: the first time it may not be asleep yet. */
const NUDGE_MS = 1;

// Explicitly allocated, and so outside the heap in which V8 moves things.
let timespec: Int32Array<ArrayBuffer> | undefined;

/**
 * `futex(&words[index], FUTEX_WAIT, expected, timeout)`: blocks the thread until {@linkcode futexWake}, unless the word is not
 * as expected; for at most `timeoutMs`, `Infinity` being for ever. Goes on after a signal.
 */
export function futexWait(
  words: Int32Array,
  index: number,
  expected: number,
  timeoutMs = Infinity,
): FutexOutcome {
  const { futex_wait } = futexSymbols();
  const word = wordAt(words, index);
  const start = timeoutMs === Infinity ? 0 : performance.now();
  let odd: number | undefined;
  for (let left = timeoutMs;;) {
    const time = left === Infinity
      ? null
      : setTime(timespec ??= newTime(), left);
    if (futex_wait(SYS, word, FUTEX_WAIT, expected, time) === 0) return "woken";
    const errno = readErrno();
    if (errno === ERRNO.EAGAIN) return "changed";
    if (errno === ERRNO.ETIMEDOUT) return "timed-out";
    // V8 may have set errno since, if ever so rarely: an odd one is believed when it says the same again.
    if (errno !== ERRNO.EINTR && errno === odd) {
      throw errorFor(errno, "futex", () => "Cannot wait for shared memory");
    }
    odd = errno;
    if (left !== Infinity) left = timeoutMs - (performance.now() - start);
  }
}

/** `futex(&words[index], FUTEX_WAKE, count)`: ends that many waits on the word, in any process; gives how many there were. */
export function futexWake(
  words: Int32Array,
  index: number,
  count: number,
): number {
  return checkValue(
    futexSymbols().futex_wake(SYS, wordAt(words, index), FUTEX_WAKE, count),
    "futex",
    () => "Cannot wake those who wait for shared memory",
  );
}

/**
 * The same wait as {@linkcode futexWait} on a thread of Deno's pool, of which there are 32: one of them is taken until the
 * wait is over. The memory is not unmapped before that.
 *
 * In a forked child, where that thread does not exist, the outcome never comes, nor does it keep the child alive.
 */
export function futexWaitAsync(
  words: Int32Array,
  index: number,
  expected: number,
  timeoutMs = Infinity,
  referenced = true,
): FutexWait {
  return new FutexWait(words, index, expected, timeoutMs, referenced);
}

/** A wait on a thread of Deno's pool. */
export class FutexWait {
  /** Resolves when the thread is back; with `"cancelled"` if that is what made it come back. */
  readonly outcome: Promise<FutexOutcome | "cancelled">;
  readonly #words: Int32Array;
  readonly #index: number;
  readonly #expected: number;
  readonly #deadline: number;
  readonly #mapping: Mapping | undefined;
  // Both are the thread's as long as it sleeps.
  readonly #word: Int32Array<ArrayBuffer>;
  readonly #offset: number;
  readonly #time = newTime();
  #referenced: boolean;
  #call: Promise<number> | undefined;
  #cancelled = false;
  #nudging: Timer | undefined;

  constructor(
    words: Int32Array,
    index: number,
    expected: number,
    timeoutMs: number,
    referenced: boolean,
  ) {
    this.#words = words;
    this.#index = index;
    this.#expected = expected;
    this.#deadline = performance.now() + timeoutMs;
    this.#referenced = referenced;
    this.#word = wordAt(words, index);
    this.#offset = this.#word.byteOffset;
    this.#mapping = findMapping(words.buffer);
    this.outcome = this.#wait();
  }

  /** Has the wait end soon. Others who sleep on the word are woken as well, for nothing. */
  cancel(): void {
    if (this.#cancelled || this.#call === undefined) return;
    this.#cancelled = true;
    this.#nudge();
  }

  /** Whether the wait keeps the process alive. */
  reference(on: boolean): void {
    this.#referenced = on;
    if (this.#call === undefined) return;
    if (on) refOp(this.#call);
    else unrefOp(this.#call);
  }

  /** In a forked child: nobody sleeps here. */
  abandon(): void {
    stopTimer(this.#nudging);
    this.#call = undefined;
    this.#mapping?.unpin();
  }

  async #wait(): Promise<FutexOutcome | "cancelled"> {
    this.#start();
    try {
      for (;;) {
        const result = await this.#call!;
        if (this.#cancelled) return "cancelled";
        if (result === 0) return "woken";
        // Why not is in the errno of a thread that is out of reach, but can be seen from here too.
        if (Atomics.load(this.#word, 0) !== this.#expected) return "changed";
        if (performance.now() >= this.#deadline) return "timed-out";
        this.#sleep();
      }
    } finally {
      this.#stop();
    }
  }

  #start(): void {
    if (!registered) {
      onForkedChild(() => {
        for (const wait of waits) wait.abandon();
        waits.clear();
      });
      registered = true;
    }
    this.#sleep();
    this.#mapping?.pin();
    waits.add(this);
  }

  #stop(): void {
    stopTimer(this.#nudging);
    this.#call = undefined;
    this.#mapping?.unpin();
    waits.delete(this);
  }

  #sleep(): void {
    const left = Math.max(0, this.#deadline - performance.now());
    this.#call = sharedFutexWaitOnPool(
      SYS,
      this.#word,
      FUTEX_WAIT,
      this.#expected,
      setTime(this.#time, Math.min(left, SLICE_MS)),
    );
    if (!this.#referenced) unrefOp(this.#call);
  }

  #nudge(): void {
    if (this.#word.length > 0) futexWake(this.#words, this.#index, ALL);
    else {
      // The memory is detached, but still there: it is pinned.
      const address = this.#mapping!.address + BigInt(this.#offset);
      futexSymbols().futex_wake_at(SYS, address, FUTEX_WAKE, ALL);
    }
    this.#nudging = setTimeout(() => this.#nudge(), NUDGE_MS);
  }
}

const waits = new Set<FutexWait>();
let registered = false;

function wordAt(words: Int32Array, index: number): Int32Array<ArrayBuffer> {
  // FFI takes views of shared memory as well, though its types say otherwise.
  return words.subarray(index, index + 1) as Int32Array<ArrayBuffer>;
}

function newTime(): Int32Array<ArrayBuffer> {
  return new Int32Array(new ArrayBuffer(16));
}

/** Puts milliseconds into a `struct timespec`, whose two fields are numbers of 64 bits. */
function setTime(
  time: Int32Array<ArrayBuffer>,
  milliseconds: number,
): Int32Array<ArrayBuffer> {
  // A time that no 32 bits can hold is as good as for ever.
  const left = Math.min(Math.max(0, milliseconds), 2e12);
  const seconds = Math.floor(left / 1000);
  time[0] = seconds;
  time[2] = Math.min(Math.ceil((left - seconds * 1000) * 1e6), 999_999_999);
  return time;
}

/** How much memory a mutex takes: more than a `pthread_mutex_t` of any architecture (40 or 48 bytes), a cache line. */
export const MUTEX_BYTES = 64;

let template: Int32Array<ArrayBuffer> | undefined;

/**
 * Makes zeroed memory an unlocked mutex: robust, shared by processes, and aware of its owner.
 *
 * In one that is not locked all words but one are zero; so making it twice, or at the same time as another process, or half, does
 * no harm. Gives false where the memory holds something else.
 */
export function initializeMutex(words: Int32Array): boolean {
  template ??= makeTemplate();
  for (let index = 0; index < template.length; index++) {
    const wanted = template[index]!;
    if (wanted === 0) continue;
    const found = Atomics.compareExchange(words, index, 0, wanted);
    if (found !== 0 && found !== wanted) return false;
  }
  return true;
}

function makeTemplate(): Int32Array<ArrayBuffer> {
  const libc = mutexSymbols();
  const attributes = new Uint8Array(new ArrayBuffer(MUTEX_BYTES));
  const words = new Int32Array(new ArrayBuffer(MUTEX_BYTES));
  const action = () => "Cannot make a mutex";
  for (
    const [result, name] of [
      [libc.pthread_mutexattr_init(attributes), "init"],
      [
        libc.pthread_mutexattr_setpshared(attributes, PTHREAD_PROCESS_SHARED),
        "setpshared",
      ],
      [
        libc.pthread_mutexattr_setrobust(attributes, PTHREAD_MUTEX_ROBUST),
        "setrobust",
      ],
      [
        libc.pthread_mutexattr_settype(attributes, PTHREAD_MUTEX_ERRORCHECK),
        "settype",
      ],
    ] as const
  ) checkErrorNumber(result, `pthread_mutexattr_${name}`, action);
  checkErrorNumber(
    libc.pthread_mutex_init(words, attributes),
    "pthread_mutex_init",
    action,
  );
  return words;
}

/**
 * A robust `pthread_mutex_t` in shared memory, at one place in this process.
 *
 * While it is locked, libc's list of what the thread has locked leads through it, and so it keeps the memory mapped.
 */
export class RobustMutex {
  readonly #mapping: Mapping;
  readonly #address: bigint;
  readonly #trylock = mutexSymbols().pthread_mutex_trylock;
  readonly #unlock = mutexSymbols().pthread_mutex_unlock;

  constructor(mapping: Mapping, offset: number) {
    this.#mapping = mapping;
    this.#address = mapping.address + BigInt(offset);
  }

  /**
   * `pthread_mutex_trylock(mutex)`: 0 if this thread has it now, `EOWNERDEAD` if in addition its last owner has died with it,
   * `EBUSY` if somebody else has it, `EDEADLK` if this thread has it already. The memory must still be there.
   */
  tryLock(): number {
    const errno = this.#trylock(this.#address);
    if (errno === 0) this.#mapping.pin();
    else if (errno === ERRNO.EOWNERDEAD) {
      this.#mapping.pin();
      mutexSymbols().pthread_mutex_consistent(this.#address);
    }
    return errno;
  }

  /** `pthread_mutex_unlock(mutex)`: only for one that was locked here; in a child that was forked since, nothing but its part in the memory is let go. */
  unlock(lockedIn: number): void {
    const errno = lockedIn === generation ? this.#unlock(this.#address) : 0;
    this.#mapping.unpin();
    if (errno !== 0) {
      throw errorFor(
        errno,
        "pthread_mutex_unlock",
        () => "Cannot release the mutex",
      );
    }
  }
}
