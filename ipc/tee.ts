import { checkDescriptor, checkInteger, checkSize } from "../ffi/_arguments.ts";
import { retryInterrupted } from "../ffi/_results.ts";
import { exchangeSymbols } from "../ffi/_symbols.ts";

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
