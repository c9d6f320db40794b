import { checkDescriptor } from "../ffi/_arguments.ts";
import { checkValue } from "../ffi/_results.ts";
import { descriptorSymbols } from "../ffi/_symbols.ts";
import { F_DUPFD_CLOEXEC } from "../ffi/constants.ts";

/**
 * `dup(fd)`: gives a second descriptor for the same open file.
 *
 * Both share the position and the status flags, `O_NONBLOCK` among them. Unlike C's, the new one is close-on-exec, as is
 * everything that is opened here: it is made by `fcntl(fd, F_DUPFD_CLOEXEC, 0)`.
 *
 * @param fd The descriptor.
 * @returns The second one, the lowest free number. It stays open until {@linkcode close}.
 * @throws {PosixError} `EBADF` if the descriptor is not open; `EMFILE` if the process has none left.
 *
 * @example Two descriptors, one pipe
 * ```ts
 * import { close, dup, pipe, readAll, write } from "@posix/process/ipc";
 * import { assertEquals } from "@std/assert";
 *
 * const [reader, writer] = pipe();
 * const second = dup(writer);
 * close(writer);
 * write(second, "still open");
 * close(second);
 * assertEquals(new TextDecoder().decode(readAll(reader)), "still open");
 * close(reader);
 * ```
 *
 * @see {@link https://man7.org/linux/man-pages/man2/dup.2.html | dup(2)}
 */
export function dup(fd: number): number {
  checkDescriptor(fd);
  return checkValue(
    descriptorSymbols().fcntl(fd, F_DUPFD_CLOEXEC, 0),
    "fcntl",
    () => `Cannot duplicate descriptor ${fd}`,
  );
}
