import {
  checkBoolean,
  checkDescriptor,
  checkInteger,
  wrongType,
} from "../ffi/_arguments.ts";
import { errorFor, readErrno } from "../ffi/_libc.ts";
import { descriptorSymbols } from "../ffi/_symbols.ts";
import { TIOCGPTN } from "../ffi/constants.ts";
import { ERRNO } from "../ffi/errors.ts";
import { StreamDescriptor } from "./_stream_descriptor.ts";
import { checkData, SMALL_READ } from "./read_write.ts";

/** A stream over a descriptor, and what its owner can do with it from behind. */
export interface StreamHandle<Stream> {
  /** The stream. */
  readonly stream: Stream;
  /** Its descriptor. */
  readonly descriptor: StreamDescriptor;
  /** Closes both, though the stream may be locked. */
  end(): Promise<void>;
}

/** A stream that reads the descriptor. */
export function openReadable(
  fd: number,
  autoClose = true,
  chunkSize = SMALL_READ,
): StreamHandle<ReadableStream<Uint8Array<ArrayBuffer>>> {
  const descriptor = new StreamDescriptor(fd, "read", autoClose);
  const source = new DescriptorSource(descriptor, chunkSize);
  return {
    stream: new ReadableStream(source, { highWaterMark: 0 }),
    descriptor,
    end: () => source.end(),
  };
}

/** A stream that writes to the descriptor. */
export function openWritable(
  fd: number,
  autoClose = true,
): StreamHandle<WritableStream<Uint8Array>> {
  const descriptor = new StreamDescriptor(fd, "write", autoClose);
  const sink = new DescriptorSink(descriptor);
  return {
    stream: new WritableStream(sink),
    descriptor,
    end: () => sink.end(),
  };
}

/** A buffer that a chunk fills to less than this part is kept for the next one, and the chunk copied out of it. */
const WORTH_GIVING_AWAY = 0.5;

/**
 * How much of a terminal's output is read at a time. The system hands out 4 KiB at most, and whoever takes all of it waits
 * for a kernel thread to bring the next; with less there is always something left meanwhile.
 */
const PIECE = 1536;

/** What a stream that reads a descriptor does: it reads when somebody wants a chunk, and never ahead. */
class DescriptorSource implements UnderlyingByteSource {
  readonly type = "bytes";
  readonly #descriptor: StreamDescriptor;
  readonly #chunkSize: number;
  #controller!: ReadableByteStreamController;
  #buffer: Uint8Array<ArrayBuffer> | undefined;
  #atEnd = false;
  /** Whether the descriptor is that of a pseudo-terminal's controller; `undefined` before the first read. */
  #isController: boolean | undefined;

  constructor(descriptor: StreamDescriptor, chunkSize: number) {
    this.#descriptor = descriptor;
    this.#chunkSize = chunkSize;
  }

  start(controller: ReadableByteStreamController): void {
    this.#controller = controller;
  }

  async pull(): Promise<void> {
    try {
      await this.#descriptor.turn();
      while (!this.#descriptor.ended && !this.#read()) {
        await this.#descriptor.ready();
      }
      this.#descriptor.throwIfFailed();
    } catch (error) {
      await this.#descriptor.end().catch(() => {});
      throw error;
    }
    // At the end of the file; of what was cancelled meanwhile the stream knows already.
    if (this.#atEnd) await this.#descriptor.end();
  }

  async cancel(): Promise<void> {
    await this.#descriptor.end();
  }

  /** Closes the stream and the descriptor, though somebody may be reading: a read that waits finds the end. */
  async end(): Promise<void> {
    if (!this.#descriptor.ended) this.#closeStream();
    await this.#descriptor.end();
  }

  /** Hands on the next chunk, or the end; gives false where there is neither yet. */
  #read(): boolean {
    const request = this.#controller.byobRequest;
    if (request === null) return this.#readChunk();
    const view = request.view as Uint8Array<ArrayBuffer>;
    const count = this.#readReady(view);
    if (count === undefined) return false;
    if (count === 0) this.#closeStream();
    else request.respond(count);
    return true;
  }

  #readChunk(): boolean {
    this.#buffer ??= new Uint8Array(this.#chunkSize);
    const buffer = this.#buffer;
    const count = this.#readReady(buffer);
    if (count === undefined) return false;
    if (count === 0) this.#closeStream();
    else if (count < buffer.length * WORTH_GIVING_AWAY) {
      this.#controller.enqueue(buffer.slice(0, count));
    } else {
      this.#controller.enqueue(buffer.subarray(0, count));
      this.#buffer = undefined;
    }
    return true;
  }

  /** Reads what is there; gives 0 at the end, and `undefined` where there is nothing yet. */
  #readReady(buffer: Uint8Array<ArrayBuffer>): number | undefined {
    const { fd } = this.#descriptor;
    this.#isController ??= isTerminalController(fd);
    return this.#isController
      ? readPieces(fd, buffer)
      : readOnce(fd, buffer, buffer.length);
  }

  #closeStream(): void {
    this.#atEnd = true;
    this.#controller.close();
    this.#controller.byobRequest?.respond(0);
  }
}

/** One read, of at most so much; gives 0 at the end, and `undefined` where there is nothing yet. */
function readOnce(
  fd: number,
  buffer: Uint8Array<ArrayBuffer>,
  size: number,
): number | undefined {
  const libc = descriptorSymbols();
  for (;;) {
    const count = libc.read(fd, buffer, BigInt(size));
    if (count !== -1) return count;
    const errno = readErrno();
    if (errno === ERRNO.EAGAIN) return undefined;
    if (errno === ERRNO.EIO && isTerminalController(fd)) return 0;
    if (errno !== ERRNO.EINTR) {
      throw errorFor(errno, "read", () => `Cannot read from descriptor ${fd}`);
    }
  }
}

/** The same for the controller of a pseudo-terminal: reads on until the buffer is full or there is no more for now. */
function readPieces(
  fd: number,
  buffer: Uint8Array<ArrayBuffer>,
): number | undefined {
  const first = readOnce(fd, buffer, Math.min(PIECE, buffer.length));
  if (first === undefined || first === 0) return first;
  const libc = descriptorSymbols();
  let length = first;
  while (length < buffer.length) {
    const rest = buffer.subarray(length);
    const count = libc.read(fd, rest, BigInt(Math.min(PIECE, rest.length)));
    // The end, or what fails, is found again by the next read.
    if (count <= 0) break;
    length += count;
  }
  return length;
}

/** Whether it is the controller of a pseudo-terminal, for which EIO means that nobody has the terminal open any more. */
function isTerminalController(fd: number): boolean {
  return descriptorSymbols()
    .ioctl(fd, BigInt(TIOCGPTN), new Uint32Array(1)) === 0;
}

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
 * All streams of the library wait together with `waitAsync`, and for nothing while there is something to read. A read that
 * waits keeps the process alive. After a fork the child's copy of the stream reads the same file, where each byte is read by
 * one of the two; a read that was waiting never settles there.
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

/** The most that one call writes: a file takes whatever it is given, and the event loop would wait for it. */
const WRITE_MAX = 1_048_576;

/** What a stream that writes to a descriptor does: a chunk is done with when the system has taken all of it. */
class DescriptorSink implements UnderlyingSink<Uint8Array> {
  readonly #descriptor: StreamDescriptor;
  #controller!: WritableStreamDefaultController;

  constructor(descriptor: StreamDescriptor) {
    this.#descriptor = descriptor;
  }

  start(controller: WritableStreamDefaultController): void {
    this.#controller = controller;
    // The stream itself calls `abort` only after the write that is under way, which may wait for ever.
    controller.signal.addEventListener("abort", () => {
      this.#descriptor.end().catch(() => {});
    });
  }

  async write(chunk: Uint8Array): Promise<void> {
    try {
      if (!(chunk instanceof Uint8Array)) {
        throw wrongType(chunk, "chunk", "a Uint8Array");
      }
      await this.#writeAll(checkData(chunk));
    } catch (error) {
      await this.#descriptor.end().catch(() => {});
      throw error;
    }
  }

  async close(): Promise<void> {
    await this.#descriptor.end();
  }

  async abort(): Promise<void> {
    await this.#descriptor.end();
  }

  /** Closes the descriptor, though somebody may be writing: a write that waits is rejected, as are all later ones. */
  async end(): Promise<void> {
    const { fd, ended: over } = this.#descriptor;
    if (!over) this.#controller.error(ended(fd));
    await this.#descriptor.end();
  }

  async #writeAll(data: Uint8Array<ArrayBuffer>): Promise<void> {
    let rest = data;
    // Once at least, so that a pipe that nobody reads is an error for an empty chunk too.
    do {
      await this.#descriptor.turn();
      const written = this.#write(rest.subarray(0, WRITE_MAX));
      if (written === undefined) await this.#descriptor.ready();
      else rest = rest.subarray(written);
    } while (rest.length > 0);
  }

  /** Writes what there is room for; gives `undefined` where there is none. */
  #write(data: Uint8Array<ArrayBuffer>): number | undefined {
    const { fd, ended: over } = this.#descriptor;
    this.#descriptor.throwIfFailed();
    if (over) throw ended(fd);
    const libc = descriptorSymbols();
    for (;;) {
      const count = libc.write(fd, data, BigInt(data.length));
      if (count !== -1) return count;
      const errno = readErrno();
      if (errno === ERRNO.EAGAIN) return undefined;
      if (errno !== ERRNO.EINTR) {
        throw errorFor(
          errno,
          "write",
          () => `Cannot write to descriptor ${fd}`,
        );
      }
    }
  }
}

function ended(fd: number): Error {
  return errorFor(
    ERRNO.EBADF,
    "write",
    () => `Cannot write to descriptor ${fd}, which is closed`,
  );
}

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
 * All streams of the library wait together with `waitAsync`, and for nothing while there is room. A write that waits keeps
 * the process alive. After a fork the child's copy of the stream writes to the same file; a write that was waiting never
 * settles there.
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
