import { TIOCGPTN } from "../ffi/constants.ts";
import { readErrno } from "../ffi/_errno.ts";
import { ERRNO } from "../ffi/errno.ts";
import { errorFor } from "../ffi/_results.ts";
import { descriptorSymbols } from "../ffi/_symbols.ts";
import type { StreamDescriptor } from "./_stream_descriptor.ts";

/** A buffer that a chunk fills to less than this part is kept for the next one, and the chunk copied out of it. */
const WORTH_GIVING_AWAY = 0.5;

/**
 * How much of a terminal's output is read at a time. The system hands out 4 KiB at most, and whoever takes all of it waits
 * for a kernel thread to bring the next; with less there is always something left meanwhile.
 */
const PIECE = 1024;

/** What a stream that reads a descriptor does: it reads when somebody wants a chunk, and never ahead. */
export class DescriptorSource implements UnderlyingByteSource {
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
