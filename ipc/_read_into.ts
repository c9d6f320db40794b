import { retryInterrupted } from "../ffi/_results.ts";
import { descriptorSymbols } from "../ffi/_symbols.ts";

/** Reads up to `count` bytes, no more than the buffer has room for, to its start, and gives their number: 0 at the end. */
export function readInto(
  buffer: Uint8Array<ArrayBuffer>,
  fd: number,
  count: number,
): number {
  const libc = descriptorSymbols();
  const size = BigInt(count);
  return retryInterrupted(
    () => libc.read(fd, buffer, size),
    "read",
    () => `Cannot read from descriptor ${fd}`,
  );
}
