/** A list of values as it is sent. Numbers go as they lie in memory: to clone them one by one takes many times as long. */
export type Packed = Float64Array | readonly unknown[];

/** Packs a list for sending. */
export function pack(values: readonly unknown[]): Packed {
  const numbers = new Float64Array(values.length);
  for (let at = 0; at < values.length; at++) {
    const value = values[at];
    if (typeof value !== "number") return values;
    numbers[at] = value;
  }
  return numbers;
}

/** About how many bytes a value takes on its way: enough to keep large ones from being sent by the thousand. */
export function weigh(value: unknown): number {
  if (typeof value === "string") return value.length + 8;
  if (ArrayBuffer.isView(value)) return value.byteLength + 8;
  return typeof value === "object" && value !== null ? 128 : 8;
}
