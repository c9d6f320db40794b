import {
  checkBoolean,
  checkDescriptor,
  checkInteger,
} from "../ffi/_arguments.ts";
import { SMALL_READ } from "./_read_limit.ts";
import { openReadable } from "./_streams.ts";

/** The largest chunk that may be asked for: what one call of the system can bring. */
const CHUNK_MAX = 0x7fff_f000;

/** Options for {@linkcode readableStream}. */
export interface ReadableStreamOptions {
  /**
   * Whether the stream closes the descriptor: at the end of the file, when it is cancelled, and when reading fails.
   *
   * @default {true}
   */
  autoClose?: boolean;
  /**
   * The most bytes of a chunk. A reader in `"byob"` mode has chunks of the size of its own buffers.
   *
   * @default {65536}
   */
  chunkSize?: number;
}

/**
 * A web stream over `read(fd, buffer, count)`: gives what comes out of a pipe, FIFO, socket or terminal, without blocking
 * the event loop.
 *
 * Nothing is read before somebody asks for a chunk, so that writers are held back as they would be by a program that reads
 * slowly; a chunk is what is there at that moment. The stream ends where `read` gives nothing: at the end of a file, or when
 * the last writer of a pipe is gone. The controller of a pseudo-terminal says `EIO` instead, which counts as the end.
 *
 * The stream owns the descriptor from now on and closes it, exactly once. It is switched to `O_NONBLOCK`, which belongs to
 * the open file and not to the descriptor: every duplicate and every process that has it open sees `EAGAIN` from then on,
 * so think twice before you read an inherited terminal this way. Regular files never make anybody wait: they are read
 * on the calling thread, and the event loop has its turn in between.
 *
 * All streams of the library wait on one thread of Deno's pool, together with `waitAsync`, and on none while there is
 * something to read. A read that waits keeps the process alive. After a fork the child's copy of the stream reads the same
 * file, where each byte is read by one of the two; a read that was waiting never settles there.
 *
 * @param fd The descriptor, open for reading.
 * @param options Options for closing it, and for the size of chunks.
 * @returns A byte stream, with readers of both modes.
 * @throws {PosixError} `EBADF` if it is not open, or not for reading. The stream itself fails with what `read` fails with:
 * `EISDIR` for a directory, `EIO` if the device fails, `ECONNRESET` if a socket's peer is gone.
 *
 * @example Reading a pipe
 * ```ts
 * import { close, pipe, readableStream, write } from "@posix/process/ipc";
 * import { assertEquals } from "@std/assert";
 *
 * const [reader, writer] = pipe();
 * write(writer, "你好, stream");
 * close(writer);
 * const text = await new Response(readableStream(reader)).text();
 * assertEquals(text, "你好, stream");
 * ```
 *
 * @see {@link https://man7.org/linux/man-pages/man2/read.2.html | read(2)}
 */
export function readableStream(
  fd: number,
  options: ReadableStreamOptions = {},
): ReadableStream<Uint8Array<ArrayBuffer>> {
  const { autoClose = true, chunkSize = SMALL_READ } = options;
  checkDescriptor(fd);
  checkBoolean(autoClose, "autoClose");
  checkInteger(chunkSize, "chunkSize", 1, CHUNK_MAX);
  return openReadable(fd, autoClose, chunkSize).stream;
}
