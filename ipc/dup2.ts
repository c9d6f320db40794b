import { checkDescriptor } from "../ffi/_arguments.ts";
import { retryInterrupted } from "../ffi/_results.ts";
import { descriptorSymbols } from "../ffi/_symbols.ts";

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
