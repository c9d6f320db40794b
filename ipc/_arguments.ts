import { wrongType } from "../ffi/_arguments.ts";

const encoder = new TextEncoder();

/**
 * The bytes to write: text as UTF-8, bytes as they are, in shared memory too.
 *
 * An array whose buffer was transferred away, or shrunk below its start, has length 0 but is not an empty message: what
 * was to be written is gone, and that must not pass for success.
 */
export function checkData(data: Uint8Array | string): Uint8Array<ArrayBuffer> {
  if (typeof data === "string") return encoder.encode(data);
  if (!(data instanceof Uint8Array)) {
    throw wrongType(data, "data", "a Uint8Array or a string");
  }
  if (data.length === 0 && isOutOfBounds(data)) {
    throw new TypeError(
      "'data' must not be detached: its bytes are no longer there",
    );
  }
  // FFI takes views of shared memory as well, though its types say otherwise.
  return data as Uint8Array<ArrayBuffer>;
}

/** Every method of an array that has lost its buffer throws, which is the one sign that covers all the ways to lose it. */
function isOutOfBounds(data: Uint8Array): boolean {
  try {
    data.keys();
    return false;
  } catch {
    return true;
  }
}
