import { checkDescriptor, checkInteger } from "../ffi/_arguments.ts";
import { checkZero } from "../ffi/_results.ts";
import { exchangeSymbols } from "../ffi/_symbols.ts";

/**
 * `shutdown(fd, how)`: ends one direction of a connected socket, or both, for all who have it open.
 *
 * What {@linkcode close} cannot do while a duplicate or another process still holds the socket: have the peer read the end.
 * The descriptor stays open.
 *
 * @param fd The socket.
 * @param how {@linkcode SHUT_WR} to write no more, {@linkcode SHUT_RD} to read no more, {@linkcode SHUT_RDWR} for both.
 * @throws {PosixError} `ENOTSOCK` if it is no socket; `ENOTCONN` if it is not connected; `EINVAL` if `how` is unknown;
 * `EBADF` if it is not open.
 *
 * @example Half a connection
 * ```ts
 * import { close, read, readAll, SHUT_WR, shutdown, socketpair, write } from "@posix/process/ipc";
 * import { assertEquals } from "@std/assert";
 *
 * const [left, right] = socketpair();
 * write(left, "the question");
 * shutdown(left, SHUT_WR);
 * assertEquals(readAll(right).length, 12); // up to the end
 * write(right, "the answer");
 * assertEquals(read(left, 64).length, 10);
 * close(left);
 * close(right);
 * ```
 *
 * @see {@link https://man7.org/linux/man-pages/man2/shutdown.2.html | shutdown(2)}
 */
export function shutdown(fd: number, how: number): void {
  checkDescriptor(fd);
  checkInteger(how, "how");
  checkZero(
    exchangeSymbols().shutdown(fd, how),
    "shutdown",
    () => `Cannot shut down descriptor ${fd}`,
  );
}
