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
  for (const [index, value] of values.entries()) {
    checkString(value, `${name}[${index}]`);
  }
  return new StringRoom().array(values, addresses);
}

/** Room for such an array that can be used again and again, where C is done with one before the next is made. */
export class StringRoom {
  #bytes = new Uint8Array();
  #table = new BigUint64Array();
  #address = 0n;

  /** Puts an array there, of strings that are checked. */
  array(
    values: readonly string[],
    addresses: readonly bigint[] = [],
  ): Uint8Array<ArrayBuffer> {
    let text = "";
    for (const value of values) text += `${value}\0`;
    const count = values.length + addresses.length;
    const tableSize = (count + 1) * POINTER_SIZE;
    this.#reserve(tableSize + text.length * UTF8_MAX);
    const { written } = encoder.encodeInto(
      text,
      this.#bytes.subarray(tableSize),
    );
    let at = tableSize;
    for (let index = 0; index < values.length; index++) {
      this.#table[index] = this.#address + BigInt(at);
      at = this.#bytes.indexOf(0, at) + 1;
    }
    this.#table.set(addresses, values.length);
    this.#table[count] = 0n;
    return this.#bytes.subarray(0, tableSize + written);
  }

  #reserve(size: number): void {
    if (size <= this.#bytes.length) return;
    // The table wants whole words.
    this.#bytes = new Uint8Array(new ArrayBuffer((size + 7) & ~7));
    this.#table = new BigUint64Array(this.#bytes.buffer);
    this.#address = addressOf(this.#bytes.buffer);
  }
}

const POINTER_SIZE = 8;

/** How many bytes a unit of UTF-16 takes at most. */
const UTF8_MAX = 3;
