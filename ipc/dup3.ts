import { checkDescriptor, checkInteger } from "../ffi/_arguments.ts";
import { retryInterrupted } from "../ffi/_results.ts";
import { descriptorSymbols } from "../ffi/_symbols.ts";

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
