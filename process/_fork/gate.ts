import { O_CLOEXEC } from "../../ffi/constants.ts";
import { checkZero } from "../../ffi/_results.ts";
import { descriptorSymbols, exitSymbols } from "../../ffi/_symbols.ts";

/**
 * The pipe at which a forked child waits, before it has run a line of anybody's code, for the word to go.
 *
 * Only parent and child ever hold its writing end, so a parent that is killed meanwhile does not leave a child behind.
 */
export class Gate {
  readonly #fds = new Int32Array(2);
  readonly #word = new Uint8Array(1);

  /** Makes the pipe. */
  constructor() {
    checkZero(
      descriptorSymbols().pipe2(this.#fds, O_CLOEXEC),
      "pipe2",
      () => "Cannot fork",
    );
  }

  /** In the parent: lets the child go. */
  open(): void {
    descriptorSymbols().write(this.#fds[1]!, this.#word, 1n);
  }

  /** In the child: waits for the word, and ends if it never comes. */
  pass(): void {
    const libc = descriptorSymbols();
    libc.close(this.#fds[1]!);
    this.#fds[1] = -1;
    if (libc.read(this.#fds[0]!, this.#word, 1n) !== 1) exitSymbols()._exit(1);
  }

  /** In both: closes what is left of the pipe. */
  close(): void {
    for (const fd of this.#fds) if (fd !== -1) descriptorSymbols().close(fd);
  }
}
