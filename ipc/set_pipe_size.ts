import { checkDescriptor, checkInteger } from "../ffi/_arguments.ts";
import { checkValue } from "../ffi/_results.ts";
import { descriptorSymbols } from "../ffi/_symbols.ts";
import { F_SETPIPE_SZ } from "../ffi/constants.ts";

/**
 * `fcntl(fd, F_SETPIPE_SZ, bytes)`: changes how much a pipe can hold.
 *
 * @param fd Either end of a pipe or FIFO.
 * @param bytes The capacity wanted, in bytes.
 * @returns The capacity given: the one wanted, rounded up to a power of two of memory pages.
 * @throws {PosixError} `EBUSY` if the pipe holds more than that; `EPERM` if it is beyond
 * `/proc/sys/fs/pipe-max-size` (1 MiB by default) and the process is not privileged; `EINVAL` if it is beyond 2 GiB when
 * rounded; `ENOMEM` if memory is short; `EBADF` if the descriptor is not open, or is no pipe.
 *
 * @example Making room for more
 * ```ts
 * import { close, getPipeSize, pipe, setPipeSize } from "@posix/process/ipc";
 * import { assertEquals } from "@std/assert";
 *
 * const [reader, writer] = pipe();
 * assertEquals(setPipeSize(writer, 100_000), 131_072);
 * assertEquals(getPipeSize(reader), 131_072);
 * close(reader);
 * close(writer);
 * ```
 *
 * @see {@link https://man7.org/linux/man-pages/man2/fcntl.2.html | fcntl(2)}
 */
export function setPipeSize(fd: number, bytes: number): number {
  checkDescriptor(fd);
  checkInteger(bytes, "bytes", 0);
  return checkValue(
    descriptorSymbols().fcntl(fd, F_SETPIPE_SZ, bytes),
    "fcntl",
    () => `Cannot set pipe size of descriptor ${fd} to ${bytes}`,
  );
}
