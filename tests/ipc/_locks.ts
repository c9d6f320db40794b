import { SYS_futex } from "../../ffi/constants.ts";
import { signalSymbols } from "../../ffi/_symbols.ts";
import { assertEquals } from "@std/assert";
import { SharedMemory } from "../../ipc/shared_memory.ts";
import { forkWith, readText, reap, until } from "../_helpers.ts";

const SIGKILL = 9;

/** A bit of the operation of those futexes that are for one process alone: such as V8's, on which a new child sleeps, too. */
const FUTEX_PRIVATE_FLAG = 0x80;

/** Waits until a child sleeps on a futex that processes share. */
export function untilFutex(pid: number): Promise<void> {
  return until(() => {
    const [call, , operation] = readText(`/proc/${pid}/syscall`).split(" ");
    return call === `${SYS_futex}` &&
      (Number(operation) & FUTEX_PRIVATE_FLAG) === 0;
  });
}

/** Starts a child that acquires in some way and keeps it until it is killed; gives it when it has it. */
export async function holder(acquire: () => unknown): Promise<number> {
  using memory = SharedMemory.anonymous(4);
  const words = new Int32Array(memory.buffer);
  const pid = forkWith(() => {
    acquire();
    Atomics.store(words, 0, 1);
    for (;;) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
  });
  await until(() => Atomics.load(words, 0) === 1);
  return pid;
}

/** Kills a child. */
export function end(pid: number): void {
  signalSymbols().kill(pid, SIGKILL);
  assertEquals(reap(pid), SIGKILL);
}

/** Kills a child as soon as something is so. */
export async function killWhen(
  pid: number,
  condition: () => boolean,
): Promise<void> {
  try {
    await until(condition);
  } finally {
    end(pid);
  }
}
