import { POLLHUP, POLLIN } from "../ffi/constants.ts";
import { ERRNO } from "../ffi/errno.ts";
import { errorFor } from "../ffi/_results.ts";
import { close } from "../ipc/close.ts";
import { dup } from "../ipc/dup.ts";
import { openpty } from "../ipc/openpty.ts";
import { poll } from "../ipc/poll.ts";
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
 * The terminal is hung up when both are closed. Whoever closes the one that is read is done with the terminal.
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

  /**
   * Has the writing end closed when the reading end is.
   *
   * Not before the program has ended, though, where the output is over because nobody has the terminal open any more: many a
   * program closes its standard streams and then exits, and must not be overtaken by the SIGHUP that hanging up would send.
   */
  bind(ended: Promise<unknown>): void {
    const { descriptor } = this.readable;
    const { onClosed } = descriptor;
    const close = () => void this.writable.end().catch(() => {});
    descriptor.onClosed = () => {
      if (this.#isDeserted()) ended.then(close, close);
      else close();
      onClosed?.();
    };
  }

  /** Whether nobody has the terminal open. */
  #isDeserted(): boolean {
    const { fd, ended } = this.writable.descriptor;
    if (ended) return false;
    const [ready] = poll([{ fd, events: POLLIN }], 0);
    return ready !== undefined && (ready.revents & POLLHUP) !== 0;
  }

  /** Hangs the terminal up. Twice without harm. */
  async hangUp(): Promise<void> {
    await Promise.all([this.writable.end(), this.readable.end()]);
  }
}
