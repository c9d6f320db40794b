import {
  DATA_OFFSET,
  loadMachineCode,
  type MachineCode,
} from "../../ffi/_call_list.ts";
import { descriptorSymbols, memorySymbols } from "../../ffi/_symbols.ts";
import {
  F_DUPFD_CLOEXEC,
  F_SETPIPE_SZ,
  O_CLOEXEC,
  O_NONBLOCK,
} from "../../ffi/constants.ts";
import { SIGINFO } from "../../ffi/layouts.ts";
import { pipe2 } from "../../ipc/pipes.ts";

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

/**
 * The handler, as the assembler makes it of the source in `tests/process/native_handler_test.ts`:
 *
 * ```c
 * struct { long fd; void (*next[64])(int, siginfo_t *, void *); } data;
 * void handler(int signal, siginfo_t *info, void *context) {
 *   write(data.fd, info, sizeof(siginfo_t)); // the bare system call, which leaves errno alone
 *   if (data.next[signal - 1]) data.next[signal - 1](signal, info, context);
 * }
 * ```
 */
export const HANDLER_CODE: MachineCode = {
  x86_64: "575652b8010000008b3df2ff0000ba800000000f055a5e5f488d05e1ff0000" +
    "4863cf488b04c84885c07402ffe0c3",
  aarch64: "e007bea9e20b00f9c9ff0710200140b9021080d2080880d2010000d4" +
    "e20b40f9e007c2a829d960f8490000b420011fd6c0035fd6",
};

/**
 * A signal handler that writes what the kernel tells of a signal, all 128 bytes, into a pipe, whichever thread the signal has
 * hit, and then goes on to another handler if there is one.
 *
 * A handler may run on any thread at any time, so it cannot be JavaScript. libc has functions that can stand in for one
 * (`putchar` writes the number of a signal), but none takes what a handler is told beyond that. So this is machine code: a
 * system call and a jump.
 */
export class NativeHandler {
  /** Where it begins: for `sa_handler`. */
  readonly address: bigint;

  constructor() {
    this.address = loadMachineCode(
      HANDLER_CODE,
      () => "Cannot catch signals",
    );
    this.setDescriptor(-1);
  }

  /** The pipe to write to; -1 for none. */
  setDescriptor(fd: number): void {
    this.#store(0, BigInt(fd));
  }

  /** The handler to go on to for a signal; 0 for none. */
  setNext(signal: number, handler: bigint): void {
    this.#store(signal, handler);
  }

  #store(index: number, value: bigint): void {
    const at = this.address + BigInt(DATA_OFFSET + 8 * index);
    memorySymbols().store(at, BigInt64Array.of(value), 8n);
  }
}
