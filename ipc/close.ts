import { checkDescriptor } from "../ffi/_arguments.ts";
import { readErrno } from "../ffi/_errno.ts";
import { errorFor } from "../ffi/_results.ts";
import { descriptorSymbols } from "../ffi/_symbols.ts";
import { ERRNO } from "../ffi/errno.ts";

/**
 * `close(fd)`: closes a descriptor.
 *
 * Never made again on `EINTR`, unlike every other call here: Linux gives the number free before anything can interrupt
 * it, so that a second call could close what another thread has just opened under it. An interrupted close has closed,
 * and counts as success.
 *
 * @param fd The descriptor. The number may be given out again at once.
 * @throws {PosixError} `EBADF` if it is not open, as when it is closed twice; `EIO`, `ENOSPC` or `EDQUOT` if an earlier
 * write is found to have failed (the descriptor is closed all the same).
 *
 * @example Closing both ends of a pipe
 * ```ts
 * import { close, pipe } from "@posix/process/ipc";
 * import { PosixError } from "@posix/process";
 * import { assertThrows } from "@std/assert";
 *
 * const [reader, writer] = pipe();
 * close(reader);
 * close(writer);
 * assertThrows(() => close(writer), PosixError, "EBADF");
 * ```
 *
 * @see {@link https://man7.org/linux/man-pages/man2/close.2.html | close(2)}
 */
export function close(fd: number): void {
  checkDescriptor(fd);
  if (descriptorSymbols().close(fd) !== -1) return;
  const errno = readErrno();
  if (errno === ERRNO.EINTR) return;
  throw errorFor(errno, "close", () => `Cannot close descriptor ${fd}`);
}
