import { checkInteger, checkName } from "../ffi/_arguments.ts";
import { retryInterrupted } from "../ffi/_libc.ts";
import { signalNameOf } from "../ffi/_signals.ts";
import { waitSymbols } from "../ffi/_symbols.ts";
import { P_ALL, P_PGID, P_PID, P_PIDFD } from "../ffi/constants.ts";
import { SIGINFO } from "../ffi/layouts.ts";
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

/** Which children `waitid` waits for. */
export type WaitidType = "P_ALL" | "P_PID" | "P_PGID" | "P_PIDFD";

const ID_TYPES: Readonly<Record<WaitidType, number>> = {
  P_ALL,
  P_PID,
  P_PGID,
  P_PIDFD,
};

const info = new Int32Array(SIGINFO.size / 4);

/**
 * `waitid(idtype, id, &info, options)`: waits for a child to change state, with control over what is waited for.
 *
 * Blocks the thread, event loop included; see {@linkcode waitAsync} for the version that does not. Retried on `EINTR`.
 * Unless {@linkcode WNOWAIT} is given, a child that has ended is reaped. Nothing else is touched: a SIGCHLD that is
 * pending or handled stays so. There is no resource usage here; that is for {@linkcode wait4}.
 *
 * @param idType `"P_PID"`: the child with the pid `id`. `"P_PGID"`: any child of the process group `id`, 0 for the caller's own.
 * `"P_PIDFD"`: the child that the pidfd `id` refers to. `"P_ALL"`: any child, those of `Deno.Command` included; `id` is ignored.
 * @param id A pid, a process group or a pidfd, as `idType` says.
 * @param options At least one of {@linkcode WEXITED}, {@linkcode WSTOPPED} and {@linkcode WCONTINUED}, or-ed with
 * {@linkcode WNOHANG} and {@linkcode WNOWAIT} as needed.
 * @returns The child and its new state; `null` if `WNOHANG` is given and there are such children, but none has changed.
 * @throws {PosixError} `ECHILD` if there is no such child; `EINVAL` if the options are unknown or name no state, or if
 * `id` is 0 for `"P_PID"`, or is no pidfd; `EBADF` if the pidfd is not open; `EAGAIN` if it is a non-blocking one and the child has not changed.
 * @throws {TypeError} If `idType` is unknown, or `id` or `options` is not a number.
 * @throws {RangeError} If `id` is negative or `id` or `options` is no C `int`.
 *
 * @example Looking at a child that has ended without reaping it
 * ```ts
 * import { _exit, fork } from "@posix/process/process";
 * import { waitid, waitpid, WEXITED, WNOWAIT } from "@posix/process/wait";
 * import { assertEquals } from "@std/assert";
 *
 * const pid = fork();
 * if (pid === 0) _exit(3);
 * assertEquals(waitid("P_PID", pid, WEXITED | WNOWAIT)?.status, { kind: "exited", code: 3 });
 * assertEquals(waitpid(pid)?.raw, 0x0300);
 * ```
 *
 * @see {@link https://man7.org/linux/man-pages/man2/waitid.2.html | waitid(2)}
 */
export function waitid(
  idType: WaitidType,
  id: number,
  options: number,
): WaitidResult | null {
  checkName(idType, "idType", Object.keys(ID_TYPES) as WaitidType[]);
  checkInteger(id, "id", 0);
  checkInteger(options, "options");
  const libc = waitSymbols();
  // "Nothing to report" is a pid of 0, which not every system writes.
  info[SIGINFO.fields.si_pid / 4] = 0;
  retryInterrupted(
    () => libc.waitid(ID_TYPES[idType], id, info, options),
    "waitid",
    () => `Cannot wait for ${whom(idType, id)}`,
  );
  return decodeSiginfo(info);
}

/** The children that the arguments stand for, in words. */
function whom(idType: WaitidType, id: number): string {
  switch (idType) {
    case "P_ALL":
      return "any child";
    case "P_PID":
      return `child ${id}`;
    case "P_PGID":
      return id === 0
        ? "a child of the caller's process group"
        : `a child of process group ${id}`;
    case "P_PIDFD":
      return `the child of pidfd ${id}`;
  }
}
