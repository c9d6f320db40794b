import {
  F_DUPFD_CLOEXEC,
  F_SETPIPE_SZ,
  O_CLOEXEC,
  O_NONBLOCK,
} from "../../ffi/constants.ts";
import { SIGINFO } from "../../ffi/layouts.ts";
import { descriptorSymbols } from "../../ffi/_symbols.ts";
import { pipe2 } from "../../ipc/pipe2.ts";

/**
 * The number from which the pipe's writing end is sought. A handler that is just about to write when that is closed must not
 * find another file under the number, and the low ones are given out again at once.
 */
const HIGH_FD = 900;

/** Room for 8,192 signals; without privileges a user may have less. */
const PIPE_SIZE = 1_048_576;

/** The pipe into which a handler writes what it is told of signals: each a `siginfo_t`, in one piece. */
export class InfoPipe {
  readonly #buffer = new Uint8Array(new ArrayBuffer(512 * SIGINFO.size));
  #reader = -1;
  #writer = -1;

  /** Whether it is open. */
  get isOpen(): boolean {
    return this.#reader !== -1;
  }

  /** Its reading end; -1 while it is not open. */
  get reader(): number {
    return this.#reader;
  }

  /** Opens it; gives the writing end. */
  open(): number {
    [this.#reader, this.#writer] = newPipe(HIGH_FD);
    return this.#writer;
  }

  /** Closes it; nothing may write to it any more. */
  close(): void {
    descriptorSymbols().close(this.#reader);
    descriptorSymbols().close(this.#writer);
    this.#reader = this.#writer = -1;
  }

  /** In a forked child: makes it a pipe of the child's own, under the same numbers. */
  renew(): void {
    const ends = newPipe(0);
    for (const [index, fd] of [this.#reader, this.#writer].entries()) {
      descriptorSymbols().dup3(ends[index]!, fd, O_CLOEXEC);
      descriptorSymbols().close(ends[index]!);
    }
  }

  /** Takes out what is in it, each with memory of its own. */
  drain(take: (info: Uint8Array<ArrayBuffer>) => void): void {
    if (!this.isOpen) return;
    const { read } = descriptorSymbols();
    const { size } = SIGINFO;
    for (;;) {
      const length = this.#buffer.length;
      const count = read(this.#reader, this.#buffer, BigInt(length));
      for (let at = 0; at + size <= count; at += size) {
        take(this.#buffer.slice(at, at + size));
      }
      if (count < length) return;
    }
  }
}

/** Both ends of a pipe; the writing one with a number from `from` on, where there is one. */
function newPipe(from: number): [reader: number, writer: number] {
  const [reader, writer] = pipe2(O_CLOEXEC | O_NONBLOCK);
  const { fcntl, close } = descriptorSymbols();
  fcntl(writer, F_SETPIPE_SZ, PIPE_SIZE);
  const high = fcntl(writer, F_DUPFD_CLOEXEC, from);
  if (high === -1) return [reader, writer];
  close(writer);
  return [reader, high];
}
