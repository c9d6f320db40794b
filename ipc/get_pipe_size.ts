import { checkDescriptor } from "../ffi/_arguments.ts";
import { checkValue } from "../ffi/_results.ts";
import { descriptorSymbols } from "../ffi/_symbols.ts";
import { F_GETPIPE_SZ } from "../ffi/constants.ts";

/**
 * `fcntl(fd, F_GETPIPE_SZ)`: how much a pipe can hold.
 *
 * @param fd Either end of a pipe or FIFO.
 * @returns Its capacity in bytes: 65,536 unless it was changed, or the user has very many pipes.
 * @throws {PosixError} `EBADF` if the descriptor is not open, or is no pipe.
 *
 * @example The usual capacity
 * ```ts
 * import { close, getPipeSize, pipe } from "@posix/process/ipc";
 * import { assertEquals } from "@std/assert";
 *
 * const [reader, writer] = pipe();
 * assertEquals(getPipeSize(writer), 65_536);
 * close(reader);
 * close(writer);
 * ```
 *
 * @see {@link https://man7.org/linux/man-pages/man2/fcntl.2.html | fcntl(2)}
 */
export function getPipeSize(fd: number): number {
  checkDescriptor(fd);
  return checkValue(
    descriptorSymbols().fcntl(fd, F_GETPIPE_SZ, 0),
    "fcntl",
    () => `Cannot get pipe size of descriptor ${fd}`,
  );
}
