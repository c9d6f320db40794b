import { checkDescriptor, checkInteger } from "../ffi/_arguments.ts";
import { SIG_BLOCK, SIG_SETMASK } from "../ffi/constants.ts";
import { SIGSET } from "../ffi/layouts.ts";
import { checkErrorNumber, checkZero } from "../ffi/_results.ts";
import { SIGNAL_NUMBERS } from "../ffi/_signals.ts";
import { foregroundSymbols, signalSymbols } from "../ffi/_symbols.ts";

/**
 * `tcsetpgrp(fd, pgrp)`: puts a process group into the foreground of a terminal, as a shell does with `fg`.
 *
 * In C, a caller that is in the background itself is sent SIGTTOU, which stops it, unless it blocks or ignores the signal. A shell
 * that takes its terminal back must therefore block it, and that is done here for the time of the call.
 *
 * @param fd A descriptor of the caller's controlling terminal.
 * @param pgid The group: it must be there, and be of the caller's session.
 * @throws {PosixError} `ENOTTY` if the descriptor is no terminal, or not the caller's controlling one; `EPERM` if the group is not in
 * the caller's session; `ESRCH` if there is no such group; `EINVAL` if `pgid` is negative; `EBADF` if `fd` is not open.
 * @throws {RangeError} If `fd` is no integer of 0 or more, or `pgid` no 32-bit integer.
 *
 * @example What is no terminal has no foreground
 * ```ts
 * import { getpgrp, tcsetpgrp } from "@posix/process/process";
 * import { close, pipe } from "@posix/process/ipc";
 * import { PosixError } from "@posix/process";
 * import { assertEquals, assertThrows } from "@std/assert";
 *
 * const [reader, writer] = pipe();
 * const error = assertThrows(() => tcsetpgrp(reader, getpgrp()), PosixError);
 * assertEquals(error.code, "ENOTTY");
 * close(reader);
 * close(writer);
 * ```
 *
 * @see {@link https://man7.org/linux/man-pages/man3/tcsetpgrp.3.html | tcsetpgrp(3)}
 */
export function tcsetpgrp(fd: number, pgid: number): void {
  checkDescriptor(fd);
  checkInteger(pgid, "pgid");
  const libc = foregroundSymbols();
  const action = () =>
    `Cannot put process group ${pgid} into the foreground of descriptor ${fd}`;
  const former = changeMask(SIG_BLOCK, onlySigttou(), action);
  try {
    checkZero(libc.tcsetpgrp(fd, pgid), "tcsetpgrp", action);
  } finally {
    changeMask(SIG_SETMASK, former, action);
  }
}

/** Changes the signal mask of this thread, on which the call is made; gives the former one. */
function changeMask(
  how: number,
  mask: Uint8Array<ArrayBuffer>,
  action: () => string,
): Uint8Array<ArrayBuffer> {
  const former = new Uint8Array(SIGSET.size);
  checkErrorNumber(
    signalSymbols().pthread_sigmask(how, mask, former),
    "pthread_sigmask",
    action,
  );
  return former;
}

function onlySigttou(): Uint8Array<ArrayBuffer> {
  const mask = new Uint8Array(SIGSET.size);
  const bit = SIGNAL_NUMBERS.SIGTTOU - 1;
  mask[bit >> 3] = 1 << (bit & 7);
  return mask;
}
