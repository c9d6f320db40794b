import { sigprocmask } from "../../process/signal_mask.ts";
import type { Signal } from "../../process/signals.ts";
import { readText } from "../_helpers.ts";

/** Blocks signals as long as it is in use. */
export function blocked(...signals: Signal[]): Disposable {
  sigprocmask("SIG_BLOCK", signals);
  return { [Symbol.dispose]: () => void sigprocmask("SIG_UNBLOCK", signals) };
}

/** Whether a process catches (`SigCgt`), ignores (`SigIgn`) or blocks (`SigBlk`) a signal, as the kernel tells. */
export function has(
  what: "SigCgt" | "SigIgn" | "SigBlk",
  signal: number,
  pid: number | "self" = "self",
): boolean {
  const [, mask] = new RegExp(`^${what}:\\s*([0-9a-f]+)$`, "m").exec(
    readText(`/proc/${pid}/status`),
  )!;
  return (BigInt(`0x${mask}`) >> BigInt(signal - 1) & 1n) === 1n;
}

const libc = Deno.dlopen("libc.so.6", {
  raise: { parameters: ["i32"], result: "i32" },
}).symbols;

/** Sends a signal to the calling thread, which has it before this returns. */
export function raise(signal: number): void {
  libc.raise(signal);
}
