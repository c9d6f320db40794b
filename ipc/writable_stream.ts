import { checkBoolean, checkDescriptor } from "../ffi/_arguments.ts";
import { openWritable } from "./_streams.ts";

/** Options for {@linkcode writableStream}. */
export interface WritableStreamOptions {
  /**
   * Whether the stream closes the descriptor: when it is closed or aborted, and when writing fails.
   *
   * @default {true}
   */
  autoClose?: boolean;
}

/**
 * A web stream over `write(fd, data, length)`: writes to a pipe, FIFO, socket or terminal, without blocking the event loop.
 *
 * A write resolves when the system has taken the whole chunk, so `writer.ready` and `pipeTo` hold back whoever writes
 * faster than the other end reads. At most {@linkcode PIPE_BUF} bytes of a chunk go into a pipe in one piece, whoever else
 * writes to it; larger chunks go in as many pieces as it takes.
 *
 * The stream owns the descriptor from now on and closes it, exactly once; an abort does not wait for a write that is held
 * back. It is switched to `O_NONBLOCK`, which belongs to the open file and not to the descriptor: every duplicate and every
 * process that has it open sees `EAGAIN` from then on. To read and write one socket, make a stream each, the second over
 * {@linkcode dup} of it.
 *
 * All streams of the library wait on one thread of Deno's pool, together with `waitAsync`, and on none while there is
 * room. A write that waits keeps the process alive. After a fork the child's copy of the stream writes to the same file; a
 * write that was waiting never settles there.
 *
 * @param fd The descriptor, open for writing.
 * @param options Options for closing it.
 * @returns A stream that takes chunks of bytes.
 * @throws {PosixError} `EBADF` if it is not open, or not for writing. The stream itself fails with what `write` fails
 * with: `EPIPE` if nobody is left to read, `ENOSPC` if the disk is full; or with a `TypeError` for a chunk that is no `Uint8Array`.
 *
 * @example Writing to a pipe
 * ```ts
 * import { close, pipe, read, writableStream } from "@posix/process/ipc";
 * import { assertEquals } from "@std/assert";
 *
 * const [reader, writer] = pipe();
 * const stream = writableStream(writer);
 * await ReadableStream.from(["one, ", "two"]).pipeThrough(new TextEncoderStream()).pipeTo(stream);
 * assertEquals(new TextDecoder().decode(read(reader, 64)), "one, two");
 * close(reader);
 * ```
 *
 * @see {@link https://man7.org/linux/man-pages/man2/write.2.html | write(2)}
 */
export function writableStream(
  fd: number,
  options: WritableStreamOptions = {},
): WritableStream<Uint8Array> {
  const { autoClose = true } = options;
  checkDescriptor(fd);
  checkBoolean(autoClose, "autoClose");
  return openWritable(fd, autoClose).stream;
}
