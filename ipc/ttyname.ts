import { checkDescriptor } from "../ffi/_arguments.ts";
import { ERRNO } from "../ffi/errno.ts";
import { errorFor } from "../ffi/_results.ts";
import { foregroundSymbols } from "../ffi/_symbols.ts";

/** Longer than any path that the kernel gives. */
const NAME_SIZE_MAX = 8192;

/**
 * `ttyname(fd)`: the path of a terminal.
 *
 * @param fd A descriptor of the terminal.
 * @returns The path, such as `/dev/pts/3`.
 * @throws {PosixError} `ENOTTY` if the descriptor is no terminal; `EBADF` if it is not open; `ENODEV` for a terminal that
 * has no name here, such as one that was passed into a container.
 * @throws {RangeError} If `fd` is no integer of 0 or more.
 *
 * @example A pipe has no name
 * ```ts
 * import { close, isatty, pipe, ttyname } from "@posix/process/ipc";
 * import { PosixError } from "@posix/process";
 * import { assertEquals, assertThrows } from "@std/assert";
 *
 * const [reader, writer] = pipe();
 * assertEquals(assertThrows(() => ttyname(reader), PosixError).code, "ENOTTY");
 * if (isatty(0)) assertEquals(ttyname(0).startsWith("/dev/"), true);
 * close(reader);
 * close(writer);
 * ```
 *
 * @see {@link https://man7.org/linux/man-pages/man3/ttyname.3.html | ttyname(3)}
 */
export function ttyname(fd: number): string {
  checkDescriptor(fd);
  for (let size = 128;; size *= 2) {
    const name = new Uint8Array(size);
    const errno = foregroundSymbols().ttyname_r(fd, name, BigInt(size));
    if (errno === 0) {
      return new TextDecoder().decode(name.subarray(0, name.indexOf(0)));
    }
    if (errno === ERRNO.ERANGE && size < NAME_SIZE_MAX) continue;
    throw errorFor(
      errno,
      "ttyname_r",
      () => `Cannot get the name of the terminal of descriptor ${fd}`,
    );
  }
}
