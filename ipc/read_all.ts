import { checkDescriptor } from "../ffi/_arguments.ts";
import { POLLIN } from "../ffi/constants.ts";
import { readLimit, SMALL_READ } from "./_read_limit.ts";
import { readInto } from "./read_into.ts";
import { waitIfWouldBlock } from "./_wait_ready.ts";

/** How large the chunks grow: many of them cost a call each, large ones memory that may stay unused. */
const CHUNK_MAX = 4_194_304;

/**
 * `read(fd, buffer, count)`, again and again: reads all that comes until the end.
 *
 * Blocks the thread, event loop included, until the end of the file, or until every writer of a pipe is gone; so close
 * your own copy of the pipe's writing end first. Waits on a non-blocking descriptor just as well. Retried on `EINTR`.
 *
 * @param fd The descriptor. It stays open.
 * @returns The bytes; empty if there were none.
 * @throws {PosixError} `EBADF` if it is not open for reading; `EISDIR` if it is a directory; `EIO` if the device fails.
 * What was read until then is lost.
 *
 * @example Reading a pipe to its end
 * ```ts
 * import { close, pipe, readAll, write } from "@posix/process/ipc";
 * import { assertEquals } from "@std/assert";
 *
 * const [reader, writer] = pipe();
 * write(writer, "one, ");
 * write(writer, "two");
 * close(writer);
 * assertEquals(new TextDecoder().decode(readAll(reader)), "one, two");
 * close(reader);
 * ```
 *
 * @see {@link https://man7.org/linux/man-pages/man2/read.2.html | read(2)}
 */
export function readAll(fd: number): Uint8Array<ArrayBuffer> {
  checkDescriptor(fd);
  const chunks: Uint8Array<ArrayBuffer>[] = [];
  let size = 0;
  let chunkSize = SMALL_READ;
  for (let ended = false; !ended;) {
    // A regular file fills the first to the last byte; the others are for what does not say how much will come.
    const chunk = new Uint8Array(Math.max(readLimit(fd), chunkSize));
    chunkSize = Math.min(chunkSize * 2, CHUNK_MAX);
    const length = fill(chunk, fd);
    ended = length < chunk.length;
    if (length > 0) chunks.push(ended ? chunk.subarray(0, length) : chunk);
    size += length;
  }
  const [first] = chunks;
  if (first?.buffer.byteLength === size) return first;
  const all = new Uint8Array(size);
  let offset = 0;
  for (const chunk of chunks) {
    all.set(chunk, offset);
    offset += chunk.length;
  }
  return all;
}

/** Reads until the chunk is full or the end is reached, and gives the number of bytes. */
function fill(chunk: Uint8Array<ArrayBuffer>, fd: number): number {
  let length = 0;
  while (length < chunk.length) {
    const rest = chunk.subarray(length);
    try {
      const count = readInto(fd, rest);
      if (count === 0) break;
      length += count;
    } catch (error) {
      waitIfWouldBlock(error, fd, POLLIN);
    }
  }
  return length;
}
