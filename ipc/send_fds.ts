import { checkArray, checkDescriptor } from "../ffi/_arguments.ts";
import { MSG_NOSIGNAL } from "../ffi/descriptor_constants.ts";
import { retryInterrupted } from "../ffi/_results.ts";
import { exchangeSymbols } from "../ffi/_symbols.ts";
import { checkData } from "./_arguments.ts";
import { FDS_MAX, Message } from "./_message.ts";

/**
 * `sendmsg(socket, &message, 0)` with `SCM_RIGHTS`: sends descriptors to the process at the other end of a local socket.
 *
 * The receiver gets duplicates under numbers of its own, as by {@linkcode dup}; what is open stays open there even if it is
 * closed here at once. Blocks the thread, event loop included, while the socket's buffer is full. Retried on `EINTR`.
 *
 * @param socket A local (`AF_UNIX`) socket, such as one of {@linkcode socketpair}.
 * @param fds The descriptors, 1 to 253 of them.
 * @param data Bytes, or text as UTF-8, that go along: at least one byte, since on a stream nothing travels alone; a NUL by default.
 * @returns How many bytes of the data were sent, which on a stream may be fewer than given if the socket is non-blocking: the
 * descriptors have gone with the first, and {@linkcode writeAll} sends the rest.
 * @throws {PosixError} `ENOTSOCK` if it is no socket; `EPIPE` if the peer has closed its end (no SIGPIPE is sent);
 * `EAGAIN` if the socket is non-blocking and full; `EBADF` if a descriptor is not open; `EINVAL` if the socket is not a
 * local one; `EMSGSIZE` if the data are too long for one message; `ETOOMANYREFS` if too many descriptors of the user are on their way.
 * @throws {TypeError} If `fds` is no array of numbers, or `data` neither bytes nor text.
 * @throws {RangeError} If there are no descriptors or more than 253, one is negative, or `data` is empty.
 *
 * @example Giving away the reading end of a pipe
 * ```ts
 * import { close, pipe, readAll, recvFds, sendFds, socketpair, writeAll } from "@posix/process/ipc";
 * import { assertEquals } from "@std/assert";
 *
 * const [left, right] = socketpair();
 * const [reader, writer] = pipe();
 * sendFds(left, [reader], "a pipe for you");
 * close(reader);
 *
 * const { fds: [received], data } = recvFds(right, 1);
 * assertEquals(new TextDecoder().decode(data), "a pipe for you");
 * writeAll(writer, "hello");
 * close(writer);
 * assertEquals(readAll(received!).length, 5);
 * for (const fd of [received!, left, right]) close(fd);
 * ```
 *
 * @see {@link https://man7.org/linux/man-pages/man7/unix.7.html | unix(7)}
 * @see {@link https://man7.org/linux/man-pages/man2/sendmsg.2.html | sendmsg(2)}
 */
export function sendFds(
  socket: number,
  fds: readonly number[],
  data: Uint8Array | string = "\0",
): number {
  checkDescriptor(socket, "socket");
  checkArray(fds, "fds");
  if (fds.length === 0 || fds.length > FDS_MAX) {
    throw new RangeError(
      `'fds' must hold 1 to ${FDS_MAX} descriptors: current length is ${fds.length}`,
    );
  }
  for (const [index, fd] of fds.entries()) checkDescriptor(fd, `fds[${index}]`);
  const bytes = checkData(data);
  if (bytes.length === 0) throw new RangeError("'data' must not be empty");
  const { header } = Message.withFds(fds, bytes);
  const { sendmsg } = exchangeSymbols();
  return retryInterrupted(
    () => sendmsg(socket, header, MSG_NOSIGNAL),
    "sendmsg",
    () => `Cannot send ${fds.length} descriptors through descriptor ${socket}`,
  );
}
