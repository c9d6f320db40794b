import {
  checkDescriptor,
  checkInteger,
  checkMode,
  checkSize,
  cString,
} from "../ffi/_arguments.ts";
import { checkValue, checkZero, retryInterrupted } from "../ffi/_libc.ts";
import { descriptorSymbols, exchangeSymbols } from "../ffi/_symbols.ts";
import { F_GETPIPE_SZ, F_SETPIPE_SZ, O_CLOEXEC } from "../ffi/constants.ts";

/**
 * `pipe(fds)`: creates a pipe, whose ends are close-on-exec.
 *
 * It is `pipe2(O_CLOEXEC)`: a program that is executed inherits no end of it but what {@linkcode dup2} makes its standard
 * input or output. A forked child inherits both, and the reader sees the end only when every copy of the writing end is
 * closed.
 *
 * @returns The reading end and the writing end, the two lowest free numbers. Both stay open until {@linkcode close}.
 * @throws {PosixError} `EMFILE` if the process has not two descriptors left.
 *
 * @example Sending a message to oneself
 * ```ts
 * import { close, pipe, read, write } from "@posix/process/ipc";
 * import { assertEquals } from "@std/assert";
 *
 * const [reader, writer] = pipe();
 * write(writer, "ping");
 * assertEquals(new TextDecoder().decode(read(reader, 4)), "ping");
 * close(reader);
 * close(writer);
 * ```
 *
 * @see {@link https://man7.org/linux/man-pages/man2/pipe.2.html | pipe(2)}
 * @see {@link https://man7.org/linux/man-pages/man7/pipe.7.html | pipe(7)}
 */
export function pipe(): [reader: number, writer: number] {
  return pipe2(O_CLOEXEC);
}

/**
 * `pipe2(fds, flags)`: creates a pipe, with flags.
 *
 * The flags are taken as they are: without {@linkcode O_CLOEXEC}, executed programs inherit both ends.
 *
 * @param flags {@linkcode O_CLOEXEC}, {@linkcode O_NONBLOCK} and {@linkcode O_DIRECT} (packet mode), or-ed together; 0 for none.
 * @returns The reading end and the writing end, the two lowest free numbers. Both stay open until {@linkcode close}.
 * @throws {PosixError} `EINVAL` if a flag is unknown; `EMFILE` if the process has not two descriptors left.
 *
 * @example Looking without waiting
 * ```ts
 * import { close, O_CLOEXEC, O_NONBLOCK, pipe2, read } from "@posix/process/ipc";
 * import { PosixError } from "@posix/process";
 * import { assertThrows } from "@std/assert";
 *
 * const [reader, writer] = pipe2(O_NONBLOCK | O_CLOEXEC);
 * assertThrows(() => read(reader, 1), PosixError, "EAGAIN");
 * close(reader);
 * close(writer);
 * ```
 *
 * @see {@link https://man7.org/linux/man-pages/man2/pipe.2.html | pipe(2)}
 */
export function pipe2(flags: number): [reader: number, writer: number] {
  checkInteger(flags, "flags", 0);
  const fds = new Int32Array(2);
  checkZero(
    descriptorSymbols().pipe2(fds, flags),
    "pipe2",
    () => "Cannot create pipe",
  );
  return [fds[0]!, fds[1]!];
}

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

/**
 * `splice(fdIn, &offsetIn, fdOut, &offsetOut, count, flags)`: moves bytes between a pipe and another descriptor, without copying
 * them through JavaScript.
 *
 * One of the two must be a pipe. Blocks the thread, event loop included, until there is something to move and room for it.
 * Retried on `EINTR`. It may move fewer bytes than asked for: a loop around it ends when it gives 0.
 *
 * @param fdIn Where to read.
 * @param offsetIn From which byte, for a file; `null` to read from its position, and for a pipe.
 * @param fdOut Where to write.
 * @param offsetOut To which byte, for a file; `null` to write at its position, and for a pipe.
 * @param count The most bytes to move.
 * @param flags {@linkcode SPLICE_F_NONBLOCK}, {@linkcode SPLICE_F_MORE} and {@linkcode SPLICE_F_MOVE}, or-ed together.
 * @returns How many bytes were moved: 0 at the end of the input. An offset moves on by as many; the position of a file that
 * was read or written at an offset does not.
 * @throws {PosixError} `EINVAL` if neither is a pipe, both are the same pipe, the output is open with `O_APPEND`, or a descriptor
 * cannot be spliced; `ESPIPE` if an offset is given for a pipe; `EAGAIN` if it would wait and must not;
 * `EBADF` if a descriptor is not open, or not for that; `EPIPE` if nobody is left to read.
 *
 * @example A file into a pipe
 * ```ts
 * import { close, O_RDONLY, open, pipe, read, splice } from "@posix/process/ipc";
 * import { assertEquals } from "@std/assert";
 *
 * const [reader, writer] = pipe();
 * const file = open("/proc/self/exe", O_RDONLY);
 * assertEquals(splice(file, 1, writer, null, 3), 3);
 * assertEquals(new TextDecoder().decode(read(reader, 8)), "ELF");
 * for (const fd of [file, reader, writer]) close(fd);
 * ```
 *
 * @see {@link https://man7.org/linux/man-pages/man2/splice.2.html | splice(2)}
 */
export function splice(
  fdIn: number,
  offsetIn: number | null,
  fdOut: number,
  offsetOut: number | null,
  count: number,
  flags: number = 0,
): number {
  checkDescriptor(fdIn, "fdIn");
  const from = offset(offsetIn, "offsetIn");
  checkDescriptor(fdOut, "fdOut");
  const to = offset(offsetOut, "offsetOut");
  const size = BigInt(checkSize(count, "count"));
  checkInteger(flags, "flags", 0);
  const libc = exchangeSymbols();
  return retryInterrupted(
    () => libc.splice(fdIn, from, fdOut, to, size, flags),
    "splice",
    () => `Cannot move bytes from descriptor ${fdIn} to ${fdOut}`,
  );
}

/** An `off_t` for C to read and to move on; none for `null`. */
function offset(
  value: number | null,
  name: string,
): BigInt64Array<ArrayBuffer> | null {
  return value === null ? null : BigInt64Array.of(
    BigInt(checkSize(value, name)),
  );
}

/**
 * `tee(fdIn, fdOut, count, flags)`: puts what waits in one pipe into another as well, without taking it out, and without copying it
 * through JavaScript.
 *
 * Blocks the thread, event loop included, until there is something and room for it. Retried on `EINTR`. A second call begins
 * with the same bytes again, unless they were read or spliced away meanwhile.
 *
 * @param fdIn The reading end of a pipe.
 * @param fdOut The writing end of another.
 * @param count The most bytes to duplicate.
 * @param flags {@linkcode SPLICE_F_NONBLOCK}, or 0.
 * @returns How many bytes were duplicated; 0 if nobody is left to write to the first pipe.
 * @throws {PosixError} `EINVAL` if a descriptor is no pipe, or both are of the same; `EAGAIN` if it would wait and must not;
 * `EBADF` if one is not open, or not for that; `EPIPE` if nobody is left to read.
 *
 * @example A copy for the log
 * ```ts
 * import { close, pipe, read, tee, write } from "@posix/process/ipc";
 * import { assertEquals } from "@std/assert";
 *
 * const [reader, writer] = pipe();
 * const [log, toLog] = pipe();
 * write(writer, "hello");
 * assertEquals(tee(reader, toLog, 64), 5);
 * assertEquals(read(log, 64), read(reader, 64));
 * for (const fd of [reader, writer, log, toLog]) close(fd);
 * ```
 *
 * @see {@link https://man7.org/linux/man-pages/man2/tee.2.html | tee(2)}
 */
export function tee(
  fdIn: number,
  fdOut: number,
  count: number,
  flags: number = 0,
): number {
  checkDescriptor(fdIn, "fdIn");
  checkDescriptor(fdOut, "fdOut");
  const size = BigInt(checkSize(count, "count"));
  checkInteger(flags, "flags", 0);
  const libc = exchangeSymbols();
  return retryInterrupted(
    () => libc.tee(fdIn, fdOut, size, flags),
    "tee",
    () => `Cannot duplicate bytes from descriptor ${fdIn} to ${fdOut}`,
  );
}
