import { SYS_futex } from "../../ffi/constants.ts";
import { signalSymbols } from "../../ffi/_symbols.ts";
import { assertEquals } from "@std/assert";
import { readText, reap, until } from "../_helpers.ts";

const SIGKILL = 9;

/** Waits until a child sleeps on a futex. */
export function untilFutex(pid: number): Promise<void> {
  return until(() =>
    readText(`/proc/${pid}/syscall`).startsWith(`${SYS_futex} `)
  );
}

/** Kills a child as soon as something is so. */
export async function killWhen(
  pid: number,
  condition: () => boolean,
): Promise<void> {
  try {
    await until(condition);
  } finally {
    signalSymbols().kill(pid, SIGKILL);
    assertEquals(reap(pid), SIGKILL);
  }
}
