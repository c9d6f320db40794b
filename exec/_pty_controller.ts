import { ERRNO } from "../ffi/errno.ts";
import { errorFor } from "../ffi/_results.ts";
import { close } from "../ipc/close.ts";
import { dup } from "../ipc/dup.ts";
import { openpty } from "../ipc/openpty.ts";
import {
  openReadable,
  openWritable,
  type StreamHandle,
} from "../ipc/_streams.ts";
import { tcgetattr } from "../ipc/tcgetattr.ts";
import type { WindowSize } from "../ipc/tcgetwinsize.ts";
import { tcsetattr } from "../ipc/tcsetattr.ts";
import type { Termios } from "../ipc/termios.ts";

/**
 * The controller of a program's pseudo-terminal: one open file under two descriptors, one for each stream.
 *
 * The terminal is hung up when both are closed. Whoever closes the one that is read is done with the terminal, so the other one
 * is closed with it.
 */
export class PtyController {
  /** The terminal's name. */
  readonly name: string;
  /** What the program puts on the screen. */
  readonly readable: StreamHandle<ReadableStream<Uint8Array<ArrayBuffer>>>;
  /** What is typed. */
  readonly writable: StreamHandle<WritableStream<Uint8Array>>;
  readonly #descriptor: number;
  #terminal: number | undefined;

  /** Opens it; what fails here leaves nothing open. */
  constructor(size: WindowSize, modes: (modes: Termios) => Termios) {
    const { controller, terminal, name } = openpty(size);
    let copy: number | undefined;
    try {
      tcsetattr(terminal, "now", modes(tcgetattr(terminal)));
      copy = dup(controller);
      this.readable = openReadable(controller);
      this.writable = openWritable(copy);
    } catch (error) {
      for (const fd of [controller, terminal, copy]) {
        if (fd !== undefined) close(fd);
      }
      throw error;
    }
    this.name = name;
    this.#descriptor = controller;
    this.#terminal = terminal;
    this.readable.descriptor.keepFromChildren();
    this.writable.descriptor.keepFromChildren();
  }

  /** The descriptor, for calls that neither read nor write nor close it. */
  get descriptor(): number {
    if (!this.readable.descriptor.ended) return this.#descriptor;
    throw errorFor(
      ERRNO.EBADF,
      "ioctl",
      () => `Cannot use terminal ${this.name}, which is closed`,
    );
  }

  /** Once the program has the terminal open: lets go of it here, so that it ends with those who have it open there. */
  letGo(): void {
    if (this.#terminal !== undefined) close(this.#terminal);
    this.#terminal = undefined;
  }

  /** Has the writing end closed as soon as the reading end is. */
  bind(): void {
    const { descriptor } = this.readable;
    const { onClosed } = descriptor;
    descriptor.onClosed = () => {
      this.writable.end().catch(() => {});
      onClosed?.();
    };
  }

  /** Hangs the terminal up. Twice without harm. */
  async hangUp(): Promise<void> {
    await Promise.all([this.writable.end(), this.readable.end()]);
  }
}
