import { cString } from "../ffi/_c_strings.ts";
import { checkZero } from "../ffi/_results.ts";
import { descriptorSymbols } from "../ffi/_symbols.ts";

/**
 * `unlink(path)`: removes the name of a FIFO, or of another file that is no directory.
 *
 * Who has it open keeps it; it is gone when the last one closes it. The counterpart of {@linkcode mkfifo}, which needs no
 * permission to write files.
 *
 * @param path The name to remove. A symbolic link is removed itself, not what it points to.
 * @throws {PosixError} `ENOENT` if it is not there; `ENOTDIR` if part of the path is no directory; `EISDIR` if it is a
 * directory; `EACCES` or `EPERM` if permission is lacking.
 *
 * @example A pipe without a name
 * ```ts
 * import { close, mkfifo, O_RDWR, open, read, unlink, write } from "@posix/process/ipc";
 * import { assertEquals } from "@std/assert";
 *
 * const path = `/tmp/example-${crypto.randomUUID()}`;
 * mkfifo(path);
 * const fd = open(path, O_RDWR);
 * unlink(path);
 * write(fd, "still there");
 * assertEquals(new TextDecoder().decode(read(fd, 64)), "still there");
 * close(fd);
 * ```
 *
 * @see {@link https://man7.org/linux/man-pages/man2/unlink.2.html | unlink(2)}
 */
export function unlink(path: string): void {
  checkZero(
    descriptorSymbols().unlink(cString(path, "path")),
    "unlink",
    () => `Cannot remove ${JSON.stringify(path)}`,
    path,
  );
}
