import { checkInteger, checkName, wrongType } from "../ffi/_arguments.ts";
import { SharedPlace, type SharedPlacement } from "./_shared_place.ts";

/** The kinds of numbers that shared memory can hold, by the names of the typed arrays. */
export type NumericType =
  | "int8"
  | "uint8"
  | "int16"
  | "uint16"
  | "int32"
  | "uint32"
  | "bigint64"
  | "biguint64"
  | "float32"
  | "float64";

/** What a kind of number is in JavaScript. */
export type Numeric<Type extends NumericType> = Type extends
  "bigint64" | "biguint64" ? bigint : number;

/** The typed array of a kind of number. */
export type NumericArray<Type extends NumericType> = {
  int8: Int8Array<ArrayBuffer>;
  uint8: Uint8Array<ArrayBuffer>;
  int16: Int16Array<ArrayBuffer>;
  uint16: Uint16Array<ArrayBuffer>;
  int32: Int32Array<ArrayBuffer>;
  uint32: Uint32Array<ArrayBuffer>;
  bigint64: BigInt64Array<ArrayBuffer>;
  biguint64: BigUint64Array<ArrayBuffer>;
  float32: Float32Array<ArrayBuffer>;
  float64: Float64Array<ArrayBuffer>;
}[Type];

/** The typed arrays. */
const ARRAYS = {
  int8: Int8Array,
  uint8: Uint8Array,
  int16: Int16Array,
  uint16: Uint16Array,
  int32: Int32Array,
  uint32: Uint32Array,
  bigint64: BigInt64Array,
  biguint64: BigUint64Array,
  float32: Float32Array,
  float64: Float64Array,
};

/** What `Atomics` works on; of the two kinds it is spared to say which, since that is what the caller's types are about. */
type AtomicArray = Int32Array<ArrayBuffer>;

/** A typed array of that kind in memory. */
function numericArray<Type extends NumericType>(
  type: Type,
  buffer: ArrayBuffer,
  offset: number,
  length: number,
): NumericArray<Type> {
  return new ARRAYS[type](buffer, offset, length) as NumericArray<Type>;
}

/** How many bytes one number takes. */
function bytesPer(type: NumericType): number {
  return ARRAYS[checkName(type, "type", Object.keys(ARRAYS) as NumericType[])]
    .BYTES_PER_ELEMENT;
}

/** Refuses what has a fraction: memory changes by steps of whole numbers alone. */
function checkAtomic(type: NumericType, action: string): void {
  if (type !== "float32" && type !== "float64") return;
  throw new TypeError(
    `Cannot ${action} a ${type} in one step: that takes integers, or a lock`,
  );
}

/** A value of that kind; one out of its range is cut to its bits, as typed arrays do. */
function checkNumeric(
  type: NumericType,
  value: unknown,
  name: string,
): void {
  const big = type === "bigint64" || type === "biguint64";
  if (big ? typeof value === "bigint" : typeof value === "number") return;
  throw wrongType(value, name, big ? "a bigint" : "a number");
}

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

/**
 * Python's `multiprocessing.Array`: numbers of one kind that processes have in common.
 *
 * Made without memory, it is shared with the processes that are forked from then on; made in a {@linkcode SharedMemory}, it is a
 * view of what is there. Integers can be changed in one step, which no other process comes between; whatever takes several steps
 * needs a lock.
 *
 * @example Squares from two processes
 * ```ts
 * import { SharedArray } from "@posix/process/ipc";
 * import { _exit, fork } from "@posix/process/process";
 * import { waitpid } from "@posix/process/wait";
 * import { assertEquals } from "@std/assert";
 *
 * using squares = new SharedArray("float64", 4);
 * const pid = fork();
 * for (let i = pid === 0 ? 1 : 0; i < 4; i += 2) squares.array[i] = i * i;
 * if (pid === 0) _exit(0);
 * waitpid(pid);
 * assertEquals([...squares.array], [0, 1, 4, 9]);
 * ```
 *
 * @see {@link https://docs.python.org/3/library/multiprocessing.html#multiprocessing.Array | multiprocessing.Array}
 * @see {@link https://developer.mozilla.org/docs/Web/JavaScript/Reference/Global_Objects/Atomics | Atomics}
 */
export class SharedArray<Type extends NumericType = NumericType>
  implements Disposable {
  /** What kind of numbers it holds. */
  readonly type: Type;
  /** How many. */
  readonly length: number;
  readonly #place: SharedPlace;
  readonly #float: boolean;
  #array: NumericArray<Type>;

  /**
   * Makes the array, or a view of what is in the memory.
   *
   * @param type What kind of numbers: `"int32"`, `"float64"`, `"bigint64"` and so on.
   * @param length How many.
   * @param placement The memory in which it lies, if not its own, which is filled with zeros.
   */
  constructor(type: Type, length: number, placement: SharedPlacement = {}) {
    const bytes = bytesPer(type);
    this.type = type;
    this.#float = type === "float32" || type === "float64";
    this.length = checkInteger(length, "length", 1, MAX_BYTES / bytes);
    this.#place = new SharedPlace("array", bytes * length, placement);
    this.#array = this.#view();
  }

  /**
   * The numbers themselves. Another array where the memory was resized; the one before is then of length 0, as it is after
   * {@linkcode SharedArray.prototype.close | SharedArray.close}. Throws a `TypeError` if it is closed.
   */
  get array(): NumericArray<Type> {
    if (this.#place.stale) {
      this.#place.renew("use");
      this.#array = this.#view();
    }
    return this.#array;
  }

  /**
   * `Atomics.load`: reads a number, which no other process is in the middle of writing.
   *
   * @param index Which.
   * @returns The number.
   * @throws {RangeError} If there is no such index.
   * @throws {TypeError} If it is closed.
   *
   * @example Reading
   * ```ts
   * import { SharedArray } from "@posix/process/ipc";
   * import { assertEquals } from "@std/assert";
   *
   * using array = new SharedArray("int32", 2);
   * assertEquals(array.load(1), 0);
   * ```
   */
  load(index: number): Numeric<Type> {
    checkInteger(index, "index", 0, this.length - 1);
    const { array } = this;
    // A float is whole as well: it is aligned, and no wider than a register.
    const value = this.#float
      ? array[index]
      : Atomics.load(array as AtomicArray, index);
    return value as Numeric<Type>;
  }

  /**
   * `Atomics.store`: writes a number.
   *
   * @param index Where.
   * @param value The number; what its kind cannot hold is cut to the bits that it can.
   * @throws {RangeError} If there is no such index.
   * @throws {TypeError} If it is closed, or the value is no number of this kind.
   *
   * @example Writing
   * ```ts
   * import { SharedArray } from "@posix/process/ipc";
   * import { assertEquals } from "@std/assert";
   *
   * using array = new SharedArray("bigint64", 2);
   * array.store(1, 42n);
   * assertEquals(array.load(1), 42n);
   * ```
   */
  store(index: number, value: Numeric<Type>): void {
    checkInteger(index, "index", 0, this.length - 1);
    checkNumeric(this.type, value, "value");
    const array = this.array as AtomicArray;
    if (this.#float) array[index] = value as number;
    else Atomics.store(array, index, value as number);
  }

  /**
   * `Atomics.add`: adds to an integer, in one step.
   *
   * @param index Where.
   * @param value What to add; below 0 to subtract.
   * @returns The number before.
   * @throws {RangeError} If there is no such index.
   * @throws {TypeError} If it is closed, holds no integers, or the value is no number of this kind.
   *
   * @example Counting
   * ```ts
   * import { SharedArray } from "@posix/process/ipc";
   * import { assertEquals } from "@std/assert";
   *
   * using counts = new SharedArray("uint32", 10);
   * assertEquals(counts.add(3, 5), 0);
   * assertEquals(counts.add(3, 5), 5);
   * ```
   */
  add(index: number, value: Numeric<Type>): Numeric<Type> {
    checkInteger(index, "index", 0, this.length - 1);
    checkAtomic(this.type, "add to");
    checkNumeric(this.type, value, "value");
    const array = this.array as AtomicArray;
    return Atomics.add(array, index, value as number) as Numeric<Type>;
  }

  /**
   * `Atomics.compareExchange`: replaces an integer if it is the expected one, in one step.
   *
   * @param index Where.
   * @param expected What has to be there.
   * @param value What to put there then.
   * @returns What was there; the expected number if it was replaced.
   * @throws {RangeError} If there is no such index.
   * @throws {TypeError} If it is closed, holds no integers, or a value is no number of this kind.
   *
   * @example Only the first one gets it
   * ```ts
   * import { SharedArray } from "@posix/process/ipc";
   * import { assertEquals } from "@std/assert";
   *
   * using owners = new SharedArray("int32", 10);
   * assertEquals(owners.compareExchange(4, 0, 17), 0);
   * assertEquals(owners.compareExchange(4, 0, 18), 17);
   * ```
   */
  compareExchange(
    index: number,
    expected: Numeric<Type>,
    value: Numeric<Type>,
  ): Numeric<Type> {
    checkInteger(index, "index", 0, this.length - 1);
    checkAtomic(this.type, "exchange");
    checkNumeric(this.type, expected, "expected");
    checkNumeric(this.type, value, "value");
    const found = Atomics.compareExchange(
      this.array as AtomicArray,
      index,
      expected as number,
      value as number,
    );
    return found as Numeric<Type>;
  }

  /**
   * Ends the use of the array in this process; twice without harm. Others go on with it.
   *
   * @throws {PosixError} If its memory cannot be unmapped, which does not happen to memory that was mapped here.
   *
   * @example Using it afterwards
   * ```ts
   * import { SharedArray } from "@posix/process/ipc";
   * import { assertThrows } from "@std/assert";
   *
   * const array = new SharedArray("int32", 10);
   * array.close();
   * assertThrows(() => array.load(0), TypeError, "it is closed");
   * ```
   */
  close(): void {
    this.#place.close();
  }

  /** Closes the array. */
  [Symbol.dispose](): void {
    this.close();
  }

  #view(): NumericArray<Type> {
    const { mapping, offset } = this.#place;
    return numericArray(this.type, mapping.buffer, offset, this.length);
  }
}

const MAX_BYTES = 2 ** 45;
