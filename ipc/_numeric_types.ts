import { checkName, wrongType } from "../ffi/_arguments.ts";

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
export type AtomicArray = Int32Array<ArrayBuffer>;

/** A typed array of that kind in memory. */
export function numericArray<Type extends NumericType>(
  type: Type,
  buffer: ArrayBuffer,
  offset: number,
  length: number,
): NumericArray<Type> {
  return new ARRAYS[type](buffer, offset, length) as NumericArray<Type>;
}

/** How many bytes one number takes. */
export function bytesPer(type: NumericType): number {
  return ARRAYS[checkName(type, "type", Object.keys(ARRAYS) as NumericType[])]
    .BYTES_PER_ELEMENT;
}

/** Refuses what has a fraction: memory changes by steps of whole numbers alone. */
export function checkAtomic(type: NumericType, action: string): void {
  if (type !== "float32" && type !== "float64") return;
  throw new TypeError(
    `Cannot ${action} a ${type} in one step: that takes integers, or a lock`,
  );
}

/** A value of that kind; one out of its range is cut to its bits, as typed arrays do. */
export function checkNumeric(
  type: NumericType,
  value: unknown,
  name: string,
): void {
  const big = type === "bigint64" || type === "biguint64";
  if (big ? typeof value === "bigint" : typeof value === "number") return;
  throw wrongType(value, name, big ? "a bigint" : "a number");
}
