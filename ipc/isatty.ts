import { checkDescriptor } from "../ffi/_arguments.ts";
import { readErrno } from "../ffi/_errno.ts";
import { errorFor } from "../ffi/_results.ts";
import { descriptorSymbols } from "../ffi/_symbols.ts";
import { ERRNO } from "../ffi/errno.ts";

/**
 * `isatty(fd)`: whether a descriptor is a terminal.
 *
 * @param fd The descriptor.
 * @returns `true` for a terminal, `false` for anything else, a terminal that was hung up included.
 * @throws {PosixError} `EBADF` if the descriptor is not open: C answers that with 0 too, but it is a mistake.
 *
 * @example A pipe is no terminal
 * ```ts
 * import { close, isatty, pipe } from "@posix/process/ipc";
 * import { assertEquals } from "@std/assert";
 *
 * const [reader, writer] = pipe();
 * assertEquals(isatty(reader), false);
 * close(reader);
 * close(writer);
 * ```
 *
 * @see {@link https://man7.org/linux/man-pages/man3/isatty.3.html | isatty(3)}
 */
export function isatty(fd: number): boolean {
  checkDescriptor(fd);
  if (descriptorSymbols().isatty(fd) === 1) return true;
  const errno = readErrno();
  if (errno !== ERRNO.EBADF) return false;
  throw errorFor(
    errno,
    "isatty",
    () => `Cannot tell whether descriptor ${fd} is a terminal`,
  );
}
