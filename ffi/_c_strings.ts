import { memorySymbols } from "./_symbols.ts";
import { checkString } from "./_arguments.ts";

const encoder = new TextEncoder();

/** The string as C wants it: UTF-8 bytes and a NUL. Refuses what C would cut short or could not spell. */
export function cString(value: string, name: string): Uint8Array<ArrayBuffer> {
  checkString(value, name);
  return encoder.encode(`${value}\0`);
}

/** The address of a buffer's first byte. Only buffers outside V8's movable heap have one that lasts. */
export function addressOf(buffer: ArrayBuffer): bigint {
  const bytes = new Uint8Array(buffer);
  return memorySymbols().memmove(bytes, bytes, 0n);
}

/**
 * A NULL-terminated array of C strings (`argv`, `envp`) as one block: the pointers, then what they point to.
 *
 * One `ArrayBuffer` of its own, which V8 never moves; keep it reachable until C is done with it. The addresses of
 * strings that C has already can follow.
 */
export function cStringArray(
  values: readonly string[],
  name: string,
  addresses: readonly bigint[] = [],
): Uint8Array<ArrayBuffer> {
  const strings = values.map((value, index) =>
    cString(value, `${name}[${index}]`)
  );
  const count = strings.length + addresses.length;
  const tableSize = (count + 1) * 8;
  const size = strings.reduce((sum, string) => sum + string.length, tableSize);
  const block = new Uint8Array(new ArrayBuffer(size));
  const table = new BigUint64Array(block.buffer, 0, count + 1);
  const base = addressOf(block.buffer);
  let offset = tableSize;
  strings.forEach((string, index) => {
    table[index] = base + BigInt(offset);
    block.set(string, offset);
    offset += string.length;
  });
  table.set(addresses, strings.length);
  return block;
}
