import {
  checkBoolean,
  checkDescriptor,
  checkInteger,
  checkMode,
  cString,
} from "../ffi/_arguments.ts";
import {
  checkValue,
  errorFor,
  readErrno,
  retryInterrupted,
} from "../ffi/_libc.ts";
import { descriptorSymbols } from "../ffi/_symbols.ts";
import {
  F_DUPFD_CLOEXEC,
  F_GETFD,
  F_GETFL,
  F_SETFD,
  F_SETFL,
  FD_CLOEXEC,
  O_CLOEXEC,
  O_NONBLOCK,
} from "../ffi/constants.ts";
import { ERRNO } from "../ffi/errors.ts";

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

/**
 * `dup2(oldFd, newFd)`: makes a given number a second descriptor for the same open file.
 *
 * What was open under the new number is closed first, in one step with the rest. The new descriptor is *not*
 * close-on-exec, which is what becomes the standard input or output of a program that is executed next. If both numbers
 * are the same, nothing changes, that flag included. Retried on `EINTR`.
 *
 * @param oldFd The descriptor.
 * @param newFd The number to give to it as well.
 * @returns The new number.
 * @throws {PosixError} `EBADF` if the old descriptor is not open, or the new number is not below `RLIMIT_NOFILE`.
 *
 * @example Redirecting a descriptor
 * ```ts
 * import { close, dup2, O_WRONLY, open, pipe, readAll, write } from "@posix/process/ipc";
 * import { assertEquals } from "@std/assert";
 *
 * const [reader, writer] = pipe();
 * const log = open("/dev/null", O_WRONLY);
 * assertEquals(dup2(writer, log), log);
 * close(writer);
 * write(log, "into the pipe now");
 * close(log);
 * assertEquals(new TextDecoder().decode(readAll(reader)), "into the pipe now");
 * close(reader);
 * ```
 *
 * @see {@link https://man7.org/linux/man-pages/man2/dup.2.html | dup2(2)}
 */
export function dup2(oldFd: number, newFd: number): number {
  checkDescriptor(oldFd, "oldFd");
  checkDescriptor(newFd, "newFd");
  const libc = descriptorSymbols();
  return retryInterrupted(
    () => libc.dup2(oldFd, newFd),
    "dup2",
    () => `Cannot duplicate descriptor ${oldFd} as ${newFd}`,
  );
}

/**
 * `dup3(oldFd, newFd, flags)`: makes a given number a second descriptor for the same open file, with flags.
 *
 * What was open under the new number is closed first, in one step with the rest. The flags are taken as they are: without
 * {@linkcode O_CLOEXEC}, executed programs inherit the new descriptor. Retried on `EINTR`.
 *
 * @param oldFd The descriptor.
 * @param newFd The number to give to it as well, a different one.
 * @param flags {@linkcode O_CLOEXEC}, or 0.
 * @returns The new number.
 * @throws {PosixError} `EBADF` if the old descriptor is not open, or the new number is not below `RLIMIT_NOFILE`;
 * `EINVAL` if both numbers are the same, or a flag is unknown.
 *
 * @example Replacing a descriptor
 * ```ts
 * import { close, dup3, O_CLOEXEC, O_RDONLY, open, pipe, read } from "@posix/process/ipc";
 * import { assertEquals } from "@std/assert";
 *
 * const [reader, writer] = pipe();
 * const zeros = open("/dev/zero", O_RDONLY);
 * assertEquals(dup3(zeros, reader, O_CLOEXEC), reader);
 * assertEquals(read(reader, 2), new Uint8Array(2));
 * for (const fd of [zeros, reader, writer]) close(fd);
 * ```
 *
 * @see {@link https://man7.org/linux/man-pages/man2/dup.2.html | dup3(2)}
 */
export function dup3(oldFd: number, newFd: number, flags: number): number {
  checkDescriptor(oldFd, "oldFd");
  checkDescriptor(newFd, "newFd");
  checkInteger(flags, "flags", 0);
  const libc = descriptorSymbols();
  return retryInterrupted(
    () => libc.dup3(oldFd, newFd, flags),
    "dup3",
    () => `Cannot duplicate descriptor ${oldFd} as ${newFd}`,
  );
}

/** Switches one flag of a descriptor by a pair of `fcntl` commands, and leaves the others as they are. */
function setFlag(
  fd: number,
  commands: { get: number; set: number },
  flag: number,
  on: boolean,
): void {
  const action = () => `Cannot change flags of descriptor ${fd}`;
  const { fcntl } = descriptorSymbols();
  const before = checkValue(fcntl(fd, commands.get, 0), "fcntl", action);
  const after = on ? before | flag : before & ~flag;
  if (after !== before) {
    checkValue(fcntl(fd, commands.set, after), "fcntl", action);
  }
}

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

/**
 * `fcntl(fd, F_SETFD, …)`: switches close-on-exec.
 *
 * The flag belongs to this descriptor alone: its duplicates have one of their own.
 *
 * @param fd The descriptor.
 * @param on `true` to close it when a program is executed, `false` to let the program inherit it.
 * @throws {PosixError} `EBADF` if the descriptor is not open.
 *
 * @example Letting a program inherit a pipe
 * ```ts
 * import { close, O_CLOEXEC, O_RDONLY, open, pipe, readAll, setCloexec } from "@posix/process/ipc";
 * import { assertEquals } from "@std/assert";
 *
 * const [reader, writer] = pipe();
 * setCloexec(reader, false);
 * const info = open(`/proc/self/fdinfo/${reader}`, O_RDONLY);
 * const [, flags = ""] = new TextDecoder().decode(readAll(info)).match(/flags:\s*(\d+)/)!;
 * assertEquals(parseInt(flags, 8) & O_CLOEXEC, 0);
 * for (const fd of [info, reader, writer]) close(fd);
 * ```
 *
 * @see {@link https://man7.org/linux/man-pages/man2/fcntl.2.html | fcntl(2)}
 */
export function setCloexec(fd: number, on: boolean): void {
  checkDescriptor(fd);
  checkBoolean(on, "on");
  setFlag(fd, { get: F_GETFD, set: F_SETFD }, FD_CLOEXEC, on);
}
