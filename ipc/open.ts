import { checkInteger, checkMode } from "../ffi/_arguments.ts";
import { cString } from "../ffi/_c_strings.ts";
import { retryInterrupted } from "../ffi/_results.ts";
import { descriptorSymbols } from "../ffi/_symbols.ts";
import { O_CLOEXEC } from "../ffi/constants.ts";

/**
 * `open(path, flags, mode)`: opens a file, or creates it.
 *
 * Blocks the thread, event loop included, where the system makes it wait: a FIFO opened for reading alone waits for a
 * writer and one opened for writing alone for a reader, unless `O_NONBLOCK` is given. Retried on `EINTR`.
 *
 * The descriptor is close-on-exec, as if `O_CLOEXEC` were given; {@linkcode setCloexec} lets a program inherit it.
 *
 * @param path The file.
 * @param flags {@linkcode O_RDONLY}, {@linkcode O_WRONLY} or {@linkcode O_RDWR}, or-ed with further `O_*` flags.
 * @param mode The permission bits of a file that is created by {@linkcode O_CREAT}, less the umask.
 * @returns The descriptor, the lowest free number. It stays open until {@linkcode close}.
 * @throws {PosixError} `ENOENT` if the file is not there; `ENOTDIR` if part of the path is no directory; `EACCES` if
 * permission is lacking; `EEXIST` if it is there with `O_CREAT | O_EXCL`; `EISDIR` if a directory is opened for
 * writing; `ELOOP` if it is a symbolic link with `O_NOFOLLOW`; `ENXIO` if nobody reads the FIFO that is opened with
 * `O_WRONLY | O_NONBLOCK`; `EMFILE` if the process has no descriptor left; `EINVAL` if the flags contradict each other.
 *
 * @example Writing to a device
 * ```ts
 * import { close, O_WRONLY, open, write } from "@posix/process/ipc";
 * import { assertEquals } from "@std/assert";
 *
 * const fd = open("/dev/null", O_WRONLY);
 * assertEquals(write(fd, "into the void"), 13);
 * close(fd);
 * ```
 *
 * @see {@link https://man7.org/linux/man-pages/man2/open.2.html | open(2)}
 */
export function open(
  path: string,
  flags: number,
  mode: number = 0o666,
): number {
  const cPath = cString(path, "path");
  checkInteger(flags, "flags", 0);
  checkMode(mode);
  const libc = descriptorSymbols();
  return retryInterrupted(
    () => libc.open(cPath, flags | O_CLOEXEC, mode),
    "open",
    () => `Cannot open ${JSON.stringify(path)}`,
    path,
  );
}
