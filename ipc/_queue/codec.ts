import { deserialize, isProxy, serialize } from "../../ffi/_deno_core.ts";
import { HEAD, recordBytes } from "./segment.ts";

/**
 * How values travel: each as a record of a head, the length of its content and its kind, and the content.
 *
 * What structured clone would give arrives. Most values need less than its format: bytes and strings go as they are, and plain
 * objects, whose JSON says all that there is to say, as that. Any other goes in V8's own format.
 */
export const KIND = {
  /** Nothing: the rest of the ring is left empty. */
  padding: 0,
  undefined: 1,
  null: 2,
  false: 3,
  true: 4,
  number: 5,
  bytes: 6,
  /** UTF-8. */
  text: 7,
  /** UTF-16 as it stands: a string with a lone surrogate. */
  units: 8,
  json: 9,
  v8: 10,
} as const;

/** Added to the kind where the content is where large items are, and the record only says where. */
export const LARGE = 0x100;

const CONSTANTS: ReadonlyMap<unknown, number> = new Map<unknown, number>([
  [undefined, KIND.undefined],
  [null, KIND.null],
  [false, KIND.false],
  [true, KIND.true],
]);
const VALUES = [undefined, undefined, null, false, true];

/** The most that an encoder holds. */
const MOST = 0x7fff_fff0;
const MAX_KEPT = 1 << 20;
/** Up to so many characters, or bytes, a loop is faster than a call. */
const SHORT_TEXT = 200;
const SHORT_BYTES = 128;

const textEncoder = new TextEncoder();
const textDecoder = new TextDecoder("utf-8", { ignoreBOM: true });

/** Whether the value is bytes that can be copied as they are. An empty array may be a detached one, which cannot be cloned. */
export function isPlainBytes(value: unknown): value is Uint8Array {
  return ArrayBuffer.isView(value) && value instanceof Uint8Array &&
    value[Symbol.toStringTag] === "Uint8Array" && value.length > 0;
}

/** Writes records, one after the other, into memory of its own. */
export class Encoder {
  bytes = new Uint8Array(0);
  words = new Int32Array(0);
  #doubles = new Float64Array(0);

  /**
   * Writes the record of a value at that offset, and gives where it ends.
   *
   * Whatever code of the value's own runs (getters), runs before anything is written.
   *
   * @throws {DOMException} `DataCloneError` if the value cannot be cloned.
   */
  encode(value: unknown, at: number): number {
    switch (typeof value) {
      case "number":
        this.#reserve(at, 8);
        this.#doubles[(at + HEAD) >> 3] = value;
        return this.#finish(at, KIND.number, 8);
      case "string":
        return this.#string(value, at);
      case "object":
        if (value === null) break;
        if (isPlainBytes(value)) return this.#raw(value, KIND.bytes, at);
        return this.#object(value, at);
    }
    const constant = CONSTANTS.get(value);
    if (constant === undefined) {
      return this.#raw(serializeChecked(value), KIND.v8, at);
    }
    this.#reserve(at, 0);
    return this.#finish(at, constant, 0);
  }

  #object(value: object, at: number): number {
    const copy = copyPlain(value, []);
    return copy === undefined
      ? this.#raw(serializeChecked(value), KIND.v8, at)
      : this.#text(JSON.stringify(copy), KIND.json, at);
  }

  /** Lets go of memory that one big item has taken. */
  trim(): void {
    if (this.bytes.length > MAX_KEPT) this.#allocate(0);
  }

  #string(value: string, at: number): number {
    if (value.isWellFormed()) return this.#text(value, KIND.text, at);
    this.#reserve(at, value.length * 2);
    const units = new Uint16Array(
      this.bytes.buffer,
      at + HEAD,
      value.length,
    );
    for (let i = 0; i < value.length; i++) units[i] = value.charCodeAt(i);
    return this.#finish(at, KIND.units, value.length * 2);
  }

  #text(value: string, kind: number, at: number): number {
    const { length } = value;
    this.#reserve(at, length * 3);
    const { bytes } = this;
    const start = at + HEAD;
    if (length <= SHORT_TEXT) {
      let i = 0;
      for (; i < length; i++) {
        const unit = value.charCodeAt(i);
        if (unit > 0x7f) break;
        bytes[start + i] = unit;
      }
      if (i === length) return this.#finish(at, kind, length);
    }
    const { written } = textEncoder.encodeInto(value, bytes.subarray(start));
    return this.#finish(at, kind, written);
  }

  #raw(content: Uint8Array, kind: number, at: number): number {
    this.#reserve(at, content.length);
    this.bytes.set(content, at + HEAD);
    return this.#finish(at, kind, content.length);
  }

  #finish(at: number, kind: number, length: number): number {
    this.words[at >> 2] = length;
    this.words[(at >> 2) + 1] = kind;
    return at + recordBytes(length);
  }

  #reserve(at: number, length: number): void {
    const end = at + HEAD + length + 8;
    if (end > MOST) {
      throw new RangeError(
        `Cannot put more than ${MOST} bytes at a time: there are ${end}`,
      );
    }
    if (end > this.bytes.length) {
      this.#allocate(Math.min(Math.max(end * 2, 4096), MOST));
    }
  }

  #allocate(size: number): void {
    const before = this.bytes;
    const buffer = new ArrayBuffer((size + 7) & ~7);
    this.bytes = new Uint8Array(buffer);
    this.words = new Int32Array(buffer);
    this.#doubles = new Float64Array(buffer);
    this.bytes.set(before.subarray(0, this.bytes.length));
  }
}

/** Takes bytes out: to the array that is given, if they fit, or to a new one. */
export function copyBytes(
  bytes: Uint8Array,
  start: number,
  length: number,
  into: Uint8Array | undefined,
): Uint8Array {
  if (into === undefined || length > into.length) {
    return bytes.slice(start, start + length);
  }
  if (length > SHORT_BYTES) into.set(bytes.subarray(start, start + length));
  else for (let i = 0; i < length; i++) into[i] = bytes[start + i]!;
  return length === into.length ? into : into.subarray(0, length);
}

/** Takes content out of memory that others will overwrite: a value, or what {@linkcode complete} makes one of. */
export function copyOut(
  kind: number,
  bytes: Uint8Array,
  start: number,
  length: number,
): unknown {
  switch (kind) {
    case KIND.bytes:
    case KIND.v8:
      return bytes.slice(start, start + length);
    case KIND.text:
    case KIND.json:
      return textDecoder.decode(bytes.subarray(start, start + length));
    case KIND.number:
      return new DataView(bytes.buffer, bytes.byteOffset + start)
        .getFloat64(0, true);
    case KIND.units: {
      const units = new Uint16Array(
        bytes.slice(start, start + length).buffer,
      );
      let value = "";
      for (let i = 0; i < units.length; i += 8192) {
        value += String.fromCharCode(...units.subarray(i, i + 8192));
      }
      return value;
    }
    default:
      return VALUES[kind];
  }
}

/** Makes the value of what {@linkcode copyOut} gave, with no need of the queue any more. */
export function complete(kind: number, content: unknown): unknown {
  if (kind === KIND.json) return JSON.parse(content as string);
  if (kind === KIND.v8) return deserialize(content as Uint8Array);
  return content;
}

/** V8's format; what another process could not read is refused. */
function serializeChecked(value: unknown): Uint8Array {
  const bytes = serialize(value);
  // Objects of the runtime, such as a Blob, are known by this byte, and are not all that has it.
  if (bytes.includes(0x5c)) {
    try {
      deserialize(bytes);
    } catch {
      throw new DOMException(
        "An object of the runtime could not be cloned.",
        "DataCloneError",
      );
    }
  }
  return bytes;
}

const MOST_OBJECTS = 50;
const MOST_ELEMENTS = 1000;

type Plain = Record<string, unknown>;

/**
 * Copies a plain object or list; `undefined` where JSON would not say exactly what it is.
 *
 * The properties of the original are read once, as they may be getters. From then on only the copy is looked at.
 *
 * @param seen The objects that were copied: one that is there twice, or in itself, is more than JSON can say.
 */
function copyPlain(value: object, seen: object[]): object | undefined {
  if (isProxy(value) || seen.includes(value)) return undefined;
  if (seen.push(value) > MOST_OBJECTS) return undefined;
  const prototype = Object.getPrototypeOf(value);
  if (prototype === Array.prototype) {
    return Array.isArray(value) ? copyArray(value, seen) : undefined;
  }
  if (prototype !== Object.prototype) return undefined;
  // An error or a list of arguments that looks like a plain object is none.
  if (toString.call(value) !== "[object Object]") return undefined;
  const copy: Plain = { ...value };
  if (typeof copy.toJSON === "function") return undefined;
  for (const key in copy) {
    const property = copy[key];
    if (isPlainPrimitive(property)) continue;
    if (typeof property !== "object" || key === "__proto__") return undefined;
    const inner = copyPlain(property as object, seen);
    if (inner === undefined) return undefined;
    copy[key] = inner;
  }
  return copy;
}

const toString = Object.prototype.toString;

function copyArray(
  value: readonly unknown[],
  seen: object[],
): unknown[] | undefined {
  const { length } = value;
  if (length > MOST_ELEMENTS || "toJSON" in value) return undefined;
  // A hole becomes an undefined element, and neither is JSON's.
  const copy = [...value];
  for (let i = 0; i < length; i++) {
    const element = copy[i];
    if (isPlainPrimitive(element)) continue;
    if (typeof element !== "object") return undefined;
    const inner = copyPlain(element as object, seen);
    if (inner === undefined) return undefined;
    copy[i] = inner;
  }
  return Object.keys(value).length === length ? copy : undefined;
}

/** Whether JSON has the value: neither NaN, nor infinity, nor the negative zero. */
function isPlainPrimitive(value: unknown): boolean {
  switch (typeof value) {
    case "string":
    case "boolean":
      return true;
    case "number":
      return value - value === 0 && (value !== 0 || 1 / value > 0);
    default:
      return value === null;
  }
}
