import { checkInteger } from "../ffi/_arguments.ts";
import { RUSAGE } from "../ffi/layouts.ts";
import { retryInterrupted } from "../ffi/_results.ts";
import { waitSymbols } from "../ffi/_symbols.ts";
import { decodeStatus } from "./decode_status.ts";
import { decodeRusage } from "./_rusage.ts";
import type { WaitResult, WaitUsageResult } from "./types.ts";

const word = new Int32Array(1);
const usage = new Uint32Array(RUSAGE.size / 4);

/** `waitpid(2)` under the name of the function that the caller has called. */
export function waitFor(
  syscall: string,
  pid: number,
  options: number,
): WaitResult | null {
  checkInteger(pid, "pid");
  checkInteger(options, "options");
  const libc = waitSymbols();
  const reaped = retryInterrupted(
    () => libc.waitpid(pid, word, options),
    syscall,
    () => `Cannot wait for ${whom(pid)}`,
  );
  return reaped === 0 ? null : result(reaped);
}

/** `wait4(2)` under the name of the function that the caller has called. */
export function waitWithUsage(
  syscall: string,
  pid: number,
  options: number,
): WaitUsageResult | null {
  checkInteger(pid, "pid");
  checkInteger(options, "options");
  const libc = waitSymbols();
  const reaped = retryInterrupted(
    () => libc.wait4(pid, word, options, usage),
    syscall,
    () => `Cannot wait for ${whom(pid)}`,
  );
  if (reaped === 0) return null;
  return { ...result(reaped), rusage: decodeRusage(usage) };
}

function result(pid: number): WaitResult {
  const raw = word[0]!;
  return { pid, raw, status: decodeStatus(raw) };
}

/** The children that a pid stands for, in words. */
function whom(pid: number): string {
  if (pid > 0) return `child ${pid}`;
  if (pid === -1) return "any child";
  return pid === 0
    ? "a child of the caller's process group"
    : `a child of process group ${-pid}`;
}
