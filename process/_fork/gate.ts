import type { CallList, CallResult } from "../../ffi/_call_list.ts";
import { O_CLOEXEC } from "../../ffi/constants.ts";
import { functionAddresses } from "../../ffi/_function_addresses.ts";
import { checkZero } from "../../ffi/_results.ts";
import { descriptorSymbols } from "../../ffi/_symbols.ts";

const WORD = Uint8Array.of(1);
const NOTHING = new Uint8Array(new ArrayBuffer(1));

/**
 * The pipe at which a forked child waits, before it has run a line of anybody's code, for the word to go.
 *
 * Only parent and child ever hold its writing end, so a parent that is killed meanwhile does not leave a child behind.
 */
export class Gate {
  readonly #fds = new Int32Array(new ArrayBuffer(8));
  readonly #heard = new Uint8Array(new ArrayBuffer(1));
  #closeWriter!: CallResult;
  #read!: CallResult;
  #closeReader!: CallResult;

  /**
   * In the child, by calls of the list: waits for the word, does what `body` adds if it comes, and ends if it never does. This is
   * the end of the list.
   */
  pass(list: CallList, body: () => void): void {
    const { _exit, close, memcmp, read } = functionAddresses();
    this.#closeWriter = list.call(close, -1);
    this.#read = list.call(read, -1, this.#heard, 1);
    list.unlessZero(list.call(memcmp, this.#heard, NOTHING, 1), () => {
      this.#closeReader = list.call(close, -1);
      body();
      list.end();
    });
    list.call(_exit, 1);
  }

  /** In the parent, before the fork: makes the pipe. */
  make(list: CallList): void {
    checkZero(
      descriptorSymbols().pipe2(this.#fds, O_CLOEXEC),
      "pipe2",
      () => "Cannot fork",
    );
    list.set(this.#closeWriter, 0, this.#fds[1]!);
    list.set(this.#read, 0, this.#fds[0]!);
    list.set(this.#closeReader, 0, this.#fds[0]!);
  }

  /** In the parent, after the fork: lets the child go. */
  open(): void {
    descriptorSymbols().write(this.#fds[1]!, WORD, 1n);
  }

  /** In the parent: closes the pipe. */
  close(): void {
    for (const fd of this.#fds) descriptorSymbols().close(fd);
  }
}
