import { O_CLOEXEC } from "../ffi/constants.ts";
import { pipe2 } from "./pipe2.ts";

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
