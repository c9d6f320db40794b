import { SIG_DFL, SIG_SETMASK } from "../ffi/constants.ts";
import { SIGACTION, SIGSET } from "../ffi/layouts.ts";
import { readErrno } from "../ffi/_errno.ts";
import { errorFor } from "../ffi/_results.ts";
import type { Action } from "../ffi/_results.ts";
import { SIGNAL_NUMBERS } from "../ffi/_signals.ts";
import { signalSymbols } from "../ffi/_symbols.ts";

/**
 * Makes a call of the exec family in the state in which programs expect to start, and throws if it comes back, with
 * everything as it was.
 *
 * What a Deno process carries that the kernel would hand on, and what is done about it (measured on Deno 2.0 to 2.9):
 *
 * - SIGPIPE is ignored, by Rust's runtime; a filter would not end with its reader. Back to its default.
 * - Signals with a handler fall back to their default by themselves. Ignored ones stay ignored, as POSIX has it.
 * - The mask is emptied, that of the calling thread, which is the one that lives on.
 * - Descriptors: all that Deno opens are close-on-exec, and standard input and output stay in blocking mode.
 * - The soft limit of open files, which Deno raises to the hard one, stays raised, as it does for `Deno.Command`: what it was is
 *   not recorded anywhere.
 */
export function become(
  call: () => number,
  syscall: string,
  action: Action,
  path?: string,
): never {
  const libc = signalSymbols();
  const { SIGPIPE } = SIGNAL_NUMBERS;
  const mask = new Uint8Array(SIGSET.size);
  const disposition = new Uint8Array(SIGACTION.size);

  // The mask first: a SIGPIPE that is blocked and pending is dropped while it is ignored, but would kill by default.
  libc.pthread_sigmask(SIG_SETMASK, new Uint8Array(SIGSET.size), mask);
  libc.sigaction(SIGPIPE, defaultDisposition(), disposition);
  call();
  const errno = readErrno();
  libc.sigaction(SIGPIPE, disposition, null);
  libc.pthread_sigmask(SIG_SETMASK, mask, null);
  throw errorFor(errno, syscall, action, path);
}

function defaultDisposition(): Uint8Array<ArrayBuffer> {
  const action = new Uint8Array(SIGACTION.size);
  new DataView(action.buffer).setBigUint64(
    SIGACTION.fields.sa_handler,
    BigInt(SIG_DFL),
    true,
  );
  return action;
}
