import { checkBoolean, checkDescriptor } from "../ffi/_arguments.ts";
import { F_GETFL, F_SETFL, O_NONBLOCK } from "../ffi/constants.ts";
import { setFlag } from "./_set_flag.ts";

/**
 * `fcntl(fd, F_SETFL, …)`: switches {@linkcode O_NONBLOCK}.
 *
 * The flag belongs to the open file, not to the descriptor: duplicates share it, and so do other processes that
 * inherited it. Regular files never block and take no notice.
 *
 * @param fd The descriptor.
 * @param on `true` for calls that fail with `EAGAIN` instead of waiting, `false` for calls that wait.
 * @throws {PosixError} `EBADF` if the descriptor is not open, or is only a path (`O_PATH`).
 *
 * @example Looking, then waiting
 * ```ts
 * import { close, pipe, read, setNonblock, write } from "@posix/process/ipc";
 * import { PosixError } from "@posix/process";
 * import { assertEquals, assertThrows } from "@std/assert";
 *
 * const [reader, writer] = pipe();
 * setNonblock(reader, true);
 * assertThrows(() => read(reader, 1), PosixError, "EAGAIN");
 * setNonblock(reader, false);
 * write(writer, "x");
 * assertEquals(read(reader, 1).length, 1);
 * close(reader);
 * close(writer);
 * ```
 *
 * @see {@link https://man7.org/linux/man-pages/man2/fcntl.2.html | fcntl(2)}
 */
export function setNonblock(fd: number, on: boolean): void {
  checkDescriptor(fd);
  checkBoolean(on, "on");
  setFlag(fd, { get: F_GETFL, set: F_SETFL }, O_NONBLOCK, on);
}
