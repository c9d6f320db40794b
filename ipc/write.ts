import { checkDescriptor } from "../ffi/_arguments.ts";
import { retryInterrupted } from "../ffi/_results.ts";
import { descriptorSymbols } from "../ffi/_symbols.ts";
import { checkData } from "./_arguments.ts";

/**
 * `write(fd, data, length)`: writes as much as the system takes in one call.
 *
 * Blocks the thread, event loop included, while a pipe or socket is full. Retried on `EINTR`, where nothing was written
 * yet. To write all of the data whatever happens, use {@linkcode writeAll}.
 *
 * At most {@linkcode PIPE_BUF} bytes go into a pipe in one piece, whoever else writes to it.
 *
 * @param fd The descriptor.
 * @param data The bytes, which may lie in shared memory; or text, which is written as UTF-8 (a lone surrogate becomes U+FFFD).
 * @returns How many bytes were written: fewer than given if a non-blocking pipe or socket had no more room, a disk
 * became full or a signal came in between, and 2 GiB less a page at the most. For text they are bytes, not characters.
 * @throws {PosixError} `EPIPE` if nobody is left to read (Deno ignores SIGPIPE); `EAGAIN` if there is no room and the
 * descriptor is non-blocking; `EBADF` if it is not open for writing; `ENOSPC` if the disk is full; `EFBIG` if the file
 * would grow beyond `RLIMIT_FSIZE` (and SIGXFSZ is ignored).
 *
 * @example Writing text
 * ```ts
 * import { close, pipe, read, write } from "@posix/process/ipc";
 * import { assertEquals } from "@std/assert";
 *
 * const [reader, writer] = pipe();
 * assertEquals(write(writer, "héllo"), 6);
 * assertEquals(read(reader, 1024), new TextEncoder().encode("héllo"));
 * close(reader);
 * close(writer);
 * ```
 *
 * @see {@link https://man7.org/linux/man-pages/man2/write.2.html | write(2)}
 */
export function write(fd: number, data: Uint8Array | string): number {
  checkDescriptor(fd);
  const bytes = checkData(data);
  const libc = descriptorSymbols();
  const size = BigInt(bytes.length);
  return retryInterrupted(
    () => libc.write(fd, bytes, size),
    "write",
    () => `Cannot write to descriptor ${fd}`,
  );
}
