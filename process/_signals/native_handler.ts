import {
  DATA_OFFSET,
  loadMachineCode,
  type MachineCode,
} from "../../ffi/_machine_code.ts";
import { memorySymbols } from "../../ffi/_symbols.ts";

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
