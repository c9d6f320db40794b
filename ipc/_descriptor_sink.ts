import { wrongType } from "../ffi/_arguments.ts";
import { readErrno } from "../ffi/_errno.ts";
import { ERRNO } from "../ffi/errno.ts";
import { errorFor } from "../ffi/_results.ts";
import { descriptorSymbols } from "../ffi/_symbols.ts";
import { checkData } from "./_arguments.ts";
import type { StreamDescriptor } from "./_stream_descriptor.ts";

/** The most that one call writes: a file takes whatever it is given, and the event loop would wait for it. */
const WRITE_MAX = 1_048_576;

/** What a stream that writes to a descriptor does: a chunk is done with when the system has taken all of it. */
export class DescriptorSink implements UnderlyingSink<Uint8Array> {
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
