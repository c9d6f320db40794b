/** A list of values as it is sent. Numbers go as they lie in memory: to clone them one by one takes many times as long. */
export type Packed = Int32Array | Float64Array | readonly unknown[];

/**
 * Packs a list for sending. Small integers stay what they are to V8: one that came back as a double would have
 * everything that is calculated with it done in doubles, a remainder at four times the cost.
 */
export function pack(values: readonly unknown[]): Packed {
  let integers = true;
  for (const value of values) {
    if (typeof value !== "number") return values;
    integers &&= Object.is(value, value | 0);
  }
  const numbers = values as readonly number[];
  return integers ? Int32Array.from(numbers) : Float64Array.from(numbers);
}

/** About how many bytes a value takes on its way: enough to keep large ones from being sent by the thousand. */
export function weigh(value: unknown): number {
  if (typeof value === "string") return value.length + 8;
  if (ArrayBuffer.isView(value)) return value.byteLength + 8;
  return typeof value === "object" && value !== null ? 128 : 8;
}
