import { generation } from "./_after_fork.ts";
import {
  PTHREAD_MUTEX_ERRORCHECK,
  PTHREAD_MUTEX_ROBUST,
  PTHREAD_PROCESS_SHARED,
} from "./constants.ts";
import { ERRNO } from "./errno.ts";
import type { Mapping } from "./_memory.ts";
import { checkErrorNumber, errorFor } from "./_results.ts";
import { mutexSymbols } from "./_symbols.ts";

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
