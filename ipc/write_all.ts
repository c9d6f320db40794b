import { checkDescriptor } from "../ffi/_arguments.ts";
import { POLLOUT } from "../ffi/constants.ts";
import { checkData } from "./_arguments.ts";
import { waitIfWouldBlock } from "./_wait_ready.ts";
import { write } from "./write.ts";

/**
 * `write(fd, data, length)`, again and again: writes all of the data.
 *
 * Blocks the thread, event loop included, until everything is written, on a non-blocking descriptor as well: so the
 * reader must be another process, or what is written must fit. Retried on `EINTR`.
 *
 * @param fd The descriptor.
 * @param data The bytes, which may lie in shared memory; or text, which is written as UTF-8 (a lone surrogate becomes U+FFFD).
 * @throws {PosixError} As {@linkcode write}, save `EAGAIN`; part of the data may have been written by then.
 *
 * @example Writing to a non-blocking pipe
 * ```ts
 * import { close, O_NONBLOCK, pipe2, readAll, writeAll } from "@posix/process/ipc";
 * import { assertEquals } from "@std/assert";
 *
 * const [reader, writer] = pipe2(O_NONBLOCK);
 * writeAll(writer, "x".repeat(65_536));
 * close(writer);
 * assertEquals(readAll(reader).length, 65_536);
 * close(reader);
 * ```
 *
 * @see {@link https://man7.org/linux/man-pages/man2/write.2.html | write(2)}
 */
export function writeAll(fd: number, data: Uint8Array | string): void {
  checkDescriptor(fd);
  let rest = checkData(data);
  // Once at least, so that a descriptor that cannot be written is an error for empty data too.
  do {
    rest = rest.subarray(writeWaiting(fd, rest));
  } while (rest.length > 0);
}

function writeWaiting(fd: number, data: Uint8Array): number {
  for (;;) {
    try {
      return write(fd, data);
    } catch (error) {
      waitIfWouldBlock(error, fd, POLLOUT);
    }
  }
}
