import { SYS_pidfd_send_signal } from "../ffi/constants.ts";
import { readErrno } from "../ffi/_errno.ts";
import { ERRNO } from "../ffi/errno.ts";
import { errorFor } from "../ffi/_results.ts";
import { waitSymbols } from "../ffi/_symbols.ts";

const NUMBER = BigInt(SYS_pidfd_send_signal);

/** Sends a signal to the process that a pidfd refers to, whoever has its pid by now; gives 0, or the error number. */
export function signalByPidfd(pidfd: number, signal: number): number {
  const result = waitSymbols().pidfd_send_signal(
    NUMBER,
    pidfd,
    signal,
    0n,
    0,
  );
  return result === 0 ? 0 : readErrno();
}

/** Sends a signal to a child by its pidfd; gives false where it has been reaped. The pid is only for the error. */
export function signalChild(
  pidfd: number,
  pid: number,
  signal: number,
): boolean {
  const errno = signalByPidfd(pidfd, signal);
  if (errno === 0) return true;
  if (errno === ERRNO.ESRCH) return false;
  throw errorFor(
    errno,
    "pidfd_send_signal",
    () => `Cannot send signal ${signal} to child ${pid}`,
  );
}
