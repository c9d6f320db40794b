import { P_PIDFD, SYS_waitid, WEXITED, WNOHANG } from "../ffi/constants.ts";
import { RUSAGE, SIGINFO } from "../ffi/layouts.ts";
import { checkZero } from "../ffi/_results.ts";
import { waitSymbols } from "../ffi/_symbols.ts";
import { decodeStatus } from "./decode_status.ts";
import { decodeRusage } from "./_rusage.ts";
import type { WaitUsageResult } from "./types.ts";

const CLD_EXITED = 1;
const CLD_DUMPED = 3;
const CORE_BIT = 0x80;

const info = new Int32Array(SIGINFO.size / 4);
const usage = new Uint32Array(RUSAGE.size / 4);
const AT = SIGINFO.fields;
const NUMBER = BigInt(SYS_waitid);

const cannotWait = () => "Cannot wait for a child by its descriptor";

/**
 * `waitid(P_PIDFD, pidfd, &info, WEXITED | WNOHANG)` with the fifth argument that only the system call has, the usage.
 *
 * Reaps this very child, whoever may have its pid by now; `null` if there is nothing to reap yet.
 */
export function reapByPidfd(pidfd: number): WaitUsageResult | null {
  const { waitid_usage } = waitSymbols();
  info[AT.si_pid / 4] = 0;
  // It does not wait, and so nothing interrupts it.
  checkZero(
    waitid_usage(NUMBER, P_PIDFD, pidfd, info, WEXITED | WNOHANG, usage),
    "waitid",
    cannotWait,
  );
  const pid = info[AT.si_pid / 4]!;
  if (pid === 0) return null;
  const code = info[AT.si_code / 4]!;
  const status = info[AT.si_status / 4]!;
  const raw = code === CLD_EXITED
    ? status << 8
    : status | (code === CLD_DUMPED ? CORE_BIT : 0);
  return {
    pid,
    raw,
    status: decodeStatus(raw),
    rusage: decodeRusage(usage),
  };
}
