import { checkDescriptor, checkSize, wrongType } from "../ffi/_arguments.ts";
import { retryInterrupted } from "../ffi/_libc.ts";
import { descriptorSymbols } from "../ffi/_symbols.ts";
import {
  AT_EMPTY_PATH,
  FIONREAD,
  POLLIN,
  POLLOUT,
  S_IFIFO,
  S_IFMT,
  S_IFREG,
  SEEK_CUR,
  STATX_SIZE,
  STATX_TYPE,
} from "../ffi/constants.ts";
import { PosixError } from "../ffi/errors.ts";
import { STATX } from "../ffi/layouts.ts";
import { poll } from "./poll.ts";

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

/** What a read asks for where a file or a pipe holds less, or does not say: a pipe's usual capacity. */
export const SMALL_READ = 65_536;

/** What it asks for elsewhere: room for a datagram, which is cut where the buffer is too short, and for a device. */
const LARGE_READ = 1_048_576;

/** Linux moves at most this much in one call. */
const MAX_READ = 0x7fff_f000;

const EMPTY_PATH = new Uint8Array(1);

/**
 * About how many bytes one `read` can bring at this moment, so that a huge count needs no huge buffer.
 *
 * Never less than there is: what remains of a regular file, what waits in a pipe, socket or terminal. It asks and does
 * not judge: for a descriptor that cannot be read, `read` itself gives the error.
 */
export function readLimit(fd: number): number {
  const libc = descriptorSymbols();
  const status = new DataView(new ArrayBuffer(STATX.size));
  const type = libc.statx(
      fd,
      EMPTY_PATH,
      AT_EMPTY_PATH,
      STATX_TYPE | STATX_SIZE,
      status,
    ) === 0
    ? status.getUint16(STATX.fields.stx_mode, true) & S_IFMT
    : 0;
  if (type === S_IFREG) {
    const size = Number(status.getBigUint64(STATX.fields.stx_size, true));
    const remaining = size - Number(libc.lseek(fd, 0n, SEEK_CUR));
    // The files of /proc are regular and of size 0, whatever they hold.
    return Math.min(Math.max(remaining, SMALL_READ), MAX_READ);
  }
  const available = new Int32Array(1);
  libc.ioctl(fd, BigInt(FIONREAD), available);
  const usual = type === S_IFIFO ? SMALL_READ : LARGE_READ;
  return Math.min(Math.max(available[0]!, usual), MAX_READ);
}

/** After an error of a non-blocking call: waits until the descriptor is ready if it was `EAGAIN`, throws it otherwise. */
function waitIfWouldBlock(
  error: unknown,
  fd: number,
  events: number,
): void {
  if (!(error instanceof PosixError) || error.code !== "EAGAIN") throw error;
  poll([{ fd, events }], -1);
}

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
