import { checkDescriptor, wrongType } from "../ffi/_arguments.ts";
import { retryInterrupted } from "../ffi/_results.ts";
import { descriptorSymbols } from "../ffi/_symbols.ts";

/**
 * `read(fd, buffer, count)`: reads what is there into an array of one's own, as far as it has room.
 *
 * Blocks the thread, event loop included, until there is something or nobody is left to write. Retried on `EINTR`. No memory is
 * taken, which makes it the fastest way to read much, or often: `read` gives each time an array that is new.
 *
 * @param fd The descriptor.
 * @param into Where the bytes go, to its start. What lies behind them is left as it is.
 * @returns How many bytes were read; 0 at the end of the file, where every writer of a pipe is gone, and if there is no room.
 * @throws {PosixError} `EAGAIN` if nothing is there and the descriptor is non-blocking; `EBADF` if it is not open for
 * reading; `EISDIR` if it is a directory; `EIO` if the device fails, as a terminal does that was hung up.
 *
 * @example One array for all that comes
 * ```ts
 * import { close, pipe, readInto, write } from "@posix/process/ipc";
 * import { assertEquals } from "@std/assert";
 *
 * const [reader, writer] = pipe();
 * write(writer, "hello");
 * write(writer, " world");
 * close(writer);
 * const buffer = new Uint8Array(8);
 * const decoder = new TextDecoder();
 * let text = "";
 * for (let count; (count = readInto(reader, buffer)) > 0;) {
 *   text += decoder.decode(buffer.subarray(0, count), { stream: true });
 * }
 * assertEquals(text, "hello world");
 * close(reader);
 * ```
 *
 * @see {@link https://man7.org/linux/man-pages/man2/read.2.html | read(2)}
 */
export function readInto(fd: number, into: Uint8Array<ArrayBuffer>): number {
  checkDescriptor(fd);
  if (!(into instanceof Uint8Array)) {
    throw wrongType(into, "into", "a Uint8Array");
  }
  const libc = descriptorSymbols();
  const size = BigInt(into.length);
  return retryInterrupted(
    () => libc.read(fd, into, size),
    "read",
    () => `Cannot read from descriptor ${fd}`,
  );
}
