import { SIGINFO } from "../ffi/layouts.ts";
import { signalNameOf } from "../ffi/_signals.ts";
import type { WaitidResult, WaitStatus } from "./types.ts";

/** The values of `si_code`, `CLD_EXITED` (1) first. */
const CODES = [
  "exited",
  "killed",
  "dumped",
  "trapped",
  "stopped",
  "continued",
] as const;

const AT = SIGINFO.fields;

/** Reads a `siginfo_t` as `waitid` fills it; `null` if it tells of no child. */
export function decodeSiginfo(info: Int32Array): WaitidResult | null {
  const pid = info[AT.si_pid / 4]!;
  if (pid === 0) return null;
  const code = CODES[info[AT.si_code / 4]! - 1]!;
  const siStatus = info[AT.si_status / 4]!;
  return {
    pid,
    uid: info[AT.si_uid / 4]! >>> 0,
    code,
    siStatus,
    status: decode(code, siStatus),
  };
}

function decode(code: WaitidResult["code"], siStatus: number): WaitStatus {
  switch (code) {
    case "exited":
      return { kind: "exited", code: siStatus };
    case "continued":
      return { kind: "continued" };
    case "killed":
    case "dumped":
      return {
        kind: "signaled",
        signal: signalNameOf(siStatus),
        coreDumped: code === "dumped",
      };
    case "stopped":
    case "trapped":
      // The byte above a trap's signal tells the ptrace event.
      return { kind: "stopped", signal: signalNameOf(siStatus & 0xff) };
  }
}
