import { ERRNO } from "./errno.ts";
import { readErrno } from "./_errno.ts";
import { PosixError } from "./posix_error.ts";

/**
 * The decoders of libc's return conventions, one each, so that no call site tests for -1 by hand.
 *
 * All take the call's name, and what was being done as a function, since it is put into words only when it failed.
 */
export type Action = () => string;

/** The error for the calling thread's errno; call it before anything else can change that. */
export function lastError(
  syscall: string,
  action: Action,
  path?: string,
): PosixError {
  return errorFor(readErrno(), syscall, action, path);
}

/** The error for a number that the call gave back. */
export function errorFor(
  errno: number,
  syscall: string,
  action: Action,
  path?: string,
): PosixError {
  return new PosixError(action(), {
    errno,
    syscall,
    ...(path === undefined ? {} : { path }),
  });
}

/** For a call that gives 0, or -1 and errno. */
export function checkZero(
  result: number,
  syscall: string,
  action: Action,
  path?: string,
): void {
  if (result === -1) throw lastError(syscall, action, path);
}

/** For a call that gives a pid, a descriptor or a count, or -1 and errno. */
export function checkValue(
  result: number,
  syscall: string,
  action: Action,
  path?: string,
): number {
  if (result === -1) throw lastError(syscall, action, path);
  return result;
}

/** For a blocking call of the same convention: made again whenever a signal interrupts it. */
export function retryInterrupted(
  call: () => number,
  syscall: string,
  action: Action,
  path?: string,
): number {
  for (;;) {
    const result = call();
    if (result !== -1) return result;
    const errno = readErrno();
    if (errno !== ERRNO.EINTR) throw errorFor(errno, syscall, action, path);
  }
}

/** For a call that gives 0, or the error number itself (`pthread_sigmask`): errno has no part in it. */
export function checkErrorNumber(
  result: number,
  syscall: string,
  action: Action,
  path?: string,
): void {
  if (result !== 0) throw errorFor(result, syscall, action, path);
}
