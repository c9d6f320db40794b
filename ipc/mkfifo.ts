import { checkMode } from "../ffi/_arguments.ts";
import { cString } from "../ffi/_c_strings.ts";
import { checkZero } from "../ffi/_results.ts";
import { descriptorSymbols } from "../ffi/_symbols.ts";

/**
 * `mkfifo(path, mode)`: creates a FIFO, a pipe that has a name in the file system.
 *
 * Unrelated programs {@linkcode open} it by that name, one to write and one to read, and each waits for the other. The
 * data never touch the disk: its size is always 0. {@linkcode unlink} removes the name.
 *
 * @param path Where to create it.
 * @param mode Its permission bits, less the umask.
 * @throws {PosixError} `EEXIST` if something is there already; `ENOENT` if its directory is not there; `ENOTDIR` if part
 * of the path is no directory; `EACCES` if permission is lacking; `EROFS` if the file system is read-only.
 *
 * @example Creating and removing one
 * ```ts
 * import { close, mkfifo, O_RDWR, open, read, unlink, write } from "@posix/process/ipc";
 * import { assertEquals } from "@std/assert";
 *
 * const path = `/tmp/example-${crypto.randomUUID()}`;
 * mkfifo(path, 0o600);
 * const fd = open(path, O_RDWR);
 * write(fd, "first in, first out");
 * assertEquals(new TextDecoder().decode(read(fd, 8)), "first in");
 * close(fd);
 * unlink(path);
 * ```
 *
 * @see {@link https://man7.org/linux/man-pages/man3/mkfifo.3.html | mkfifo(3)}
 * @see {@link https://man7.org/linux/man-pages/man7/fifo.7.html | fifo(7)}
 */
export function mkfifo(path: string, mode: number = 0o666): void {
  const cPath = cString(path, "path");
  checkMode(mode);
  checkZero(
    descriptorSymbols().mkfifo(cPath, mode),
    "mkfifo",
    () => `Cannot create FIFO ${JSON.stringify(path)}`,
    path,
  );
}
