import { checkDescriptor, checkInteger, checkSize } from "../ffi/_arguments.ts";
import { retryInterrupted } from "../ffi/_results.ts";
import { exchangeSymbols } from "../ffi/_symbols.ts";

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
