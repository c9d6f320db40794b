import { checkDescriptor, checkSize } from "../ffi/_arguments.ts";
import { readInto } from "./read_into.ts";
import { readLimit, SMALL_READ } from "./_read_limit.ts";

/** Where small reads land before what they brought is copied: their results are then no longer than that. */
let landing: Uint8Array<ArrayBuffer> | undefined;

/**
 * `read(fd, buffer, count)`: reads what is there, up to a number of bytes.
 *
 * Blocks the thread, event loop included, until there is something or nobody is left to write. Retried on `EINTR`.
 *
 * A regular file gives `count` bytes or all that remain (2 GiB less a page at a time); a pipe, socket or terminal gives
 * what it holds, and seldom more. The count may be far larger than that: memory is taken for what is there. To read into an
 * array that is there already, see {@linkcode readInto}.
 *
 * @param fd The descriptor.
 * @param count The most bytes to read.
 * @returns The bytes, in memory of their own; empty at the end of the file, and where every writer of a pipe is gone.
 * @throws {PosixError} `EAGAIN` if nothing is there and the descriptor is non-blocking; `EBADF` if it is not open for
 * reading; `EISDIR` if it is a directory; `EIO` if the device fails, as a terminal does that was hung up.
 *
 * @example Reading what was written
 * ```ts
 * import { close, pipe, read, write } from "@posix/process/ipc";
 * import { assertEquals } from "@std/assert";
 *
 * const [reader, writer] = pipe();
 * write(writer, "hello");
 * assertEquals(new TextDecoder().decode(read(reader, 1024)), "hello");
 * close(writer);
 * assertEquals(read(reader, 1024).length, 0);
 * close(reader);
 * ```
 *
 * @see {@link https://man7.org/linux/man-pages/man2/read.2.html | read(2)}
 */
export function read(fd: number, count: number): Uint8Array<ArrayBuffer> {
  checkDescriptor(fd);
  checkSize(count, "count");
  if (count <= SMALL_READ) {
    landing ??= new Uint8Array(SMALL_READ);
    return landing.slice(0, readInto(fd, landing.subarray(0, count)));
  }
  const buffer = new Uint8Array(Math.min(count, readLimit(fd)));
  const length = readInto(fd, buffer);
  return length === buffer.length ? buffer : buffer.slice(0, length);
}
