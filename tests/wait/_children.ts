import { assertEquals } from "@std/assert";
import { O_CLOEXEC } from "../../ffi/constants.ts";
import { descriptorSymbols, signalSymbols } from "../../ffi/_symbols.ts";
import { SIGNAL_NUMBERS } from "../../ffi/_signals.ts";
import { directoryEntries, forkWith, reap } from "../_helpers.ts";

/** Holds children back until the parent lets them go, or is gone itself. */
export class Gate {
  static readonly #closed = new Set<Gate>();
  readonly #fds = new Int32Array(2);

  constructor() {
    assertEquals(descriptorSymbols().pipe2(this.#fds, O_CLOEXEC), 0);
    Gate.#closed.add(this);
  }

  /** In a child: waits until the gate is open. */
  pass(): void {
    // Whoever held a writing end would keep the gate closed, for the children behind the other gates as well.
    for (const gate of Gate.#closed) descriptorSymbols().close(gate.#fds[1]!);
    descriptorSymbols().read(this.#fds[0]!, new Uint8Array(1), 1n);
  }

  /** In the parent: lets all children go. */
  open(): void {
    Gate.#closed.delete(this);
    for (const fd of this.#fds) descriptorSymbols().close(fd);
  }

  /** Forks a child that ends with `code` once the gate is open. */
  fork(code: number): number {
    return forkWith(() => {
      this.pass();
      return code;
    });
  }
}

/** Sends a signal. */
export function send(
  pid: number,
  signal: keyof typeof SIGNAL_NUMBERS,
): void {
  assertEquals(signalSymbols().kill(pid, SIGNAL_NUMBERS[signal]), 0);
}

/** Runs `body`, which may wait for any child, in a process that has no other children; it must not throw. */
export function inOwnProcess(body: () => void): void {
  assertEquals(reap(forkWith(body)), 0, "see the child's error above");
}

/** How many threads this process has. */
export function threads(): number {
  return directoryEntries("/proc/self/task").length;
}
