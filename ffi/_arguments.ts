import { memorySymbols } from "./_symbols.ts";

/**
 * Checks of arguments, made before a call has any effect: `TypeError` for a wrong type, `RangeError` for a number out of
 * range, naming the argument and its value.
 */

const INT32_MAX = 0x7fffffff;

/** A number, of whatever size. */
export function checkNumber(value: number, name: string): number {
  if (typeof value === "number") return value;
  throw wrongType(value, name, "a number");
}

/** An integer of a C `int` or a narrower range, 0 for -0, which C does not know; nothing wraps silently. */
export function checkInteger(
  value: number,
  name: string,
  min: number = -INT32_MAX - 1,
  max: number = INT32_MAX,
): number {
  checkNumber(value, name);
  if (!Number.isInteger(value) || value < min || value > max) {
    throw new RangeError(
      `'${name}' must be an integer from ${min} to ${max}: current value is ${value}`,
    );
  }
  return value === 0 ? 0 : value;
}

/** A descriptor: not negative. */
export function checkDescriptor(fd: number, name = "fd"): number {
  return checkInteger(fd, name, 0);
}

/** A count of bytes, or another size: not negative. */
export function checkSize(
  size: number,
  name: string,
  max: number = Number.MAX_SAFE_INTEGER,
): number {
  return checkInteger(size, name, 0, max);
}

/** A file mode: the twelve permission bits. */
export function checkMode(mode: number, name = "mode"): number {
  return checkInteger(mode, name, 0, 0o7777);
}

/** How long to wait, in milliseconds: not negative; `Infinity` is for ever. */
export function checkTimeout(timeout: number, name = "timeout"): number {
  if (checkNumber(timeout, name) >= 0) return timeout;
  throw new RangeError(
    `'${name}' must not be negative: current value is ${timeout}`,
  );
}

/** `true` or `false`, nothing that merely counts as one. */
export function checkBoolean(value: boolean, name: string): boolean {
  if (typeof value === "boolean") return value;
  throw wrongType(value, name, "a boolean");
}

/** An array, whatever is in it. */
export function checkArray(value: unknown, name: string): void {
  if (!Array.isArray(value)) throw wrongType(value, name, "an array");
}

/** An array, with a check for each of its elements: holes count as `undefined`. */
export function checkEach<T, R>(
  values: readonly T[],
  name: string,
  check: (value: T, name: string) => R,
): R[] {
  checkArray(values, name);
  return Array.from(
    values,
    (value, index) => check(value, `${name}[${index}]`),
  );
}

/** Something with properties: an array is one, too. */
export function checkObject(value: unknown, name: string): void {
  if (typeof value === "object" && value !== null) return;
  throw wrongType(value, name, "an object");
}

/** Something to call. */
export function checkFunction(value: unknown, name: string): void {
  if (typeof value !== "function") throw wrongType(value, name, "a function");
}

/** The signal that something is given up with, if there is one. */
export function checkAbortSignal(signal: AbortSignal | undefined): void {
  if (signal === undefined || signal instanceof AbortSignal) return;
  throw wrongType(signal, "signal", "an AbortSignal");
}

/** What may be left out, and is checked where it is not. */
export function checkOptional<T, R>(
  value: T | undefined,
  check: (value: T) => R,
): R | undefined {
  return value === undefined ? undefined : check(value);
}

/** A string that C can take: no NUL inside, and spellable as UTF-8. */
export function checkString(value: string, name: string): string {
  if (typeof value !== "string") throw wrongType(value, name, "a string");
  if (value.includes("\0")) {
    throw new TypeError(
      `'${name}' must not contain NUL: current value is ${describe(value)}`,
    );
  }
  if (!value.isWellFormed()) {
    throw new TypeError(
      `'${name}' must not contain a lone surrogate: current value is ${
        describe(value)
      }`,
    );
  }
  return value;
}

/** One of a fixed set of names; a wrong one is answered with the nearest. */
export function checkName<Name extends string>(
  value: string,
  name: string,
  known: readonly Name[],
): Name {
  if (typeof value === "string" && known.includes(value as Name)) {
    return value as Name;
  }
  if (typeof value !== "string") throw wrongType(value, name, "a string");
  throw new TypeError(
    `'${name}' is unknown: current value is ${describe(value)}, did you mean "${
      nearest(value, known)
    }"`,
  );
}

/** The error for a value that is not what it is to be: "a number", "an array"… */
export function wrongType(
  value: unknown,
  name: string,
  wanted: string,
): TypeError {
  return new TypeError(
    `'${name}' must be ${wanted}: current value is ${describe(value)}`,
  );
}

/** A value in an error message: short, quoted where it is a string. */
export function describe(value: unknown): string {
  const text = typeof value === "string"
    ? JSON.stringify(value)
    : Deno.inspect(value);
  return text.length > 80 ? `${text.slice(0, 79)}…` : text;
}

/** The candidate at the smallest edit distance, whatever the case. */
function nearest(value: string, candidates: readonly string[]): string {
  const wanted = value.slice(0, 64).toUpperCase();
  let best = "";
  let bestDistance = Infinity;
  for (const candidate of candidates) {
    const distance = editDistance(wanted, candidate.toUpperCase());
    if (distance < bestDistance) [best, bestDistance] = [candidate, distance];
  }
  return best;
}

/** How many letters to change, add, leave out or swap with their neighbour. */
function editDistance(a: string, b: string): number {
  let beforeLast: number[] = [];
  let last = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const same = a[i - 1] === b[j - 1];
      const swapped = i > 1 && j > 1 && a[i - 1] === b[j - 2] &&
        a[i - 2] === b[j - 1];
      row.push(Math.min(
        last[j]! + 1,
        row[j - 1]! + 1,
        last[j - 1]! + (same ? 0 : 1),
        swapped ? beforeLast[j - 2]! + 1 : Infinity,
      ));
    }
    [beforeLast, last] = [last, row];
  }
  return last[b.length]!;
}

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

  /** Where it is. */
  get address(): bigint {
    return this.#address;
  }

  /** The array's pointers. */
  get pointers(): BigUint64Array<ArrayBuffer> {
    return this.#table;
  }

  /** Puts an array there, of strings that are checked. */
  array(
    values: readonly string[],
    addresses: readonly bigint[] = [],
  ): Uint8Array<ArrayBuffer> {
    const count = values.length + addresses.length;
    let at = (count + 1) * POINTER_SIZE;
    let size = at;
    for (const { length } of values) size += length * UTF8_MAX + 1;
    this.#reserve(size);
    for (let index = 0; index < values.length; index++) {
      this.#table[index] = this.#address + BigInt(at);
      at = this.#put(values[index]!, at);
    }
    this.#table.set(addresses, values.length);
    this.#table[count] = 0n;
    return this.#bytes.subarray(0, at);
  }

  /** Puts a string and its end there; gives where that is over. Most are short and ASCII, and soon written. */
  #put(value: string, start: number): number {
    let at = start;
    for (let index = 0; index < value.length; index++) {
      const unit = value.charCodeAt(index);
      if (unit > ASCII_MAX || index === SHORT) {
        const place = this.#bytes.subarray(start);
        at = start + encoder.encodeInto(value, place).written;
        break;
      }
      this.#bytes[at++] = unit;
    }
    this.#bytes[at++] = 0;
    return at;
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

const ASCII_MAX = 0x7f;

/** Up to which length a loop is faster than the encoder. */
const SHORT = 100;
