import { checkInteger } from "../ffi/_arguments.ts";
import { checkZero } from "../ffi/_results.ts";
import { descriptorSymbols } from "../ffi/_symbols.ts";

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
