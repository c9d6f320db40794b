import { bytesPer, checkNumeric } from "./_numeric_types.ts";
import type { SharedPlacement } from "./_shared_place.ts";
import { type Numeric, type NumericType, SharedArray } from "./shared_array.ts";

/**
 * Python's `multiprocessing.Value`: one number that processes have in common.
 *
 * Made without memory, it is shared with the processes that are forked from then on; made in a {@linkcode SharedMemory}, it is a
 * view of what is there. An integer can be changed in one step, which no other process comes between: `value++` is two, and needs
 * a {@linkcode Mutex}, while {@linkcode SharedValue.prototype.add | SharedValue.add} does not.
 *
 * @example Counting from two processes
 * ```ts
 * import { SharedValue } from "@posix/process/ipc";
 * import { _exit, fork } from "@posix/process/process";
 * import { waitpid } from "@posix/process/wait";
 * import { assertEquals } from "@std/assert";
 *
 * using count = new SharedValue("int32");
 * const pid = fork();
 * for (let i = 0; i < 1000; i++) count.add(1);
 * if (pid === 0) _exit(0);
 * waitpid(pid);
 * assertEquals(count.value, 2000);
 * ```
 *
 * @see {@link https://docs.python.org/3/library/multiprocessing.html#multiprocessing.Value | multiprocessing.Value}
 * @see {@link https://developer.mozilla.org/docs/Web/JavaScript/Reference/Global_Objects/Atomics | Atomics}
 */
export class SharedValue<Type extends NumericType = NumericType>
  implements Disposable {
  /** How many bytes it takes in memory at most. */
  static readonly BYTES: number = 8;

  readonly #array: SharedArray<Type>;

  /**
   * Makes the value, or a view of what is in the memory.
   *
   * @param type What kind of number: `"int32"`, `"float64"`, `"bigint64"` and so on.
   * @param initial What it is to be at first; if left out, what is in the memory, which is 0 in its own.
   * @param placement The memory in which it lies, if not its own.
   */
  constructor(
    type: Type,
    initial?: Numeric<Type>,
    placement: SharedPlacement = {},
  ) {
    bytesPer(type);
    if (initial !== undefined) checkNumeric(type, initial, "initial");
    this.#array = new SharedArray(type, 1, placement);
    if (initial !== undefined) this.#array.store(0, initial);
  }

  /** What kind of number it is. */
  get type(): Type {
    return this.#array.type;
  }

  /** The number. What its kind cannot hold is cut to the bits that it can. Throws a `TypeError` if it is closed, or set to what is no number of this kind. */
  get value(): Numeric<Type> {
    return this.#array.load(0);
  }

  /** Sets the number. */
  set value(value: Numeric<Type>) {
    this.#array.store(0, value);
  }

  /**
   * `Atomics.add`: adds to an integer, in one step.
   *
   * @param value What to add; below 0 to subtract.
   * @returns The number before.
   * @throws {TypeError} If it is closed, no integer, or what is added is no number of this kind.
   *
   * @example Counting
   * ```ts
   * import { SharedValue } from "@posix/process/ipc";
   * import { assertEquals } from "@std/assert";
   *
   * using count = new SharedValue("bigint64", 40n);
   * assertEquals(count.add(2n), 40n);
   * assertEquals(count.value, 42n);
   * ```
   */
  add(value: Numeric<Type>): Numeric<Type> {
    return this.#array.add(0, value);
  }

  /**
   * `Atomics.compareExchange`: replaces an integer if it is the expected one, in one step.
   *
   * @param expected What it has to be.
   * @param value What it is to be then.
   * @returns What it was; the expected number if it was replaced.
   * @throws {TypeError} If it is closed, no integer, or a value is no number of this kind.
   *
   * @example Only the first one gets it
   * ```ts
   * import { SharedValue } from "@posix/process/ipc";
   * import { assertEquals } from "@std/assert";
   *
   * using leader = new SharedValue("int32");
   * assertEquals(leader.compareExchange(0, 17), 0);
   * assertEquals(leader.compareExchange(0, 18), 17);
   * ```
   */
  compareExchange(
    expected: Numeric<Type>,
    value: Numeric<Type>,
  ): Numeric<Type> {
    return this.#array.compareExchange(0, expected, value);
  }

  /**
   * Ends the use of the value in this process; twice without harm. Others go on with it.
   *
   * @throws {PosixError} If its memory cannot be unmapped, which does not happen to memory that was mapped here.
   *
   * @example Using it afterwards
   * ```ts
   * import { SharedValue } from "@posix/process/ipc";
   * import { assertThrows } from "@std/assert";
   *
   * const number = new SharedValue("float64", 0.5);
   * number.close();
   * assertThrows(() => number.value, TypeError, "it is closed");
   * ```
   */
  close(): void {
    this.#array.close();
  }

  /** Closes the value. */
  [Symbol.dispose](): void {
    this.close();
  }
}
