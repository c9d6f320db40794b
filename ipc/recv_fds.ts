import { checkDescriptor, checkInteger } from "../ffi/_arguments.ts";
import { ERRNO } from "../ffi/errno.ts";
import { MSG_CMSG_CLOEXEC } from "../ffi/descriptor_constants.ts";
import { PosixError } from "../ffi/posix_error.ts";
import { retryInterrupted } from "../ffi/_results.ts";
import { descriptorSymbols, exchangeSymbols } from "../ffi/_symbols.ts";
import { FDS_MAX, Message } from "./_message.ts";
import { SMALL_READ } from "./_read_limit.ts";

/** What {@linkcode recvFds} gives. */
export interface ReceivedFds {
  /** The descriptors that have come along, in the order in which they were sent: new numbers, close-on-exec, the caller's to close. */
  fds: number[];
  /** The bytes that have come; empty at the end, when the peer has closed its side. */
  data: Uint8Array<ArrayBuffer>;
}

/** Options for {@linkcode recvFds}. */
export interface RecvFdsOptions {
  /**
   * The most bytes to read. Of a datagram or packet that is longer, the rest is lost, as with `read`.
   *
   * @default {65536}
   */
  count?: number;
}

/**
 * `recvmsg(socket, &message, MSG_CMSG_CLOEXEC)`: reads bytes from a local socket, and the descriptors that were sent with them.
 *
 * Blocks the thread, event loop included, until there is something or the peer has closed its side. Retried on `EINTR`.
 *
 * What {@linkcode sendFds} sends as one message stays one on datagram and packet sockets. A stream knows no messages: bytes that
 * were sent before, without descriptors, may come together with them, and a long message in several pieces, of which the
 * first has the descriptors.
 *
 * No descriptor is lost in silence, and none is left open: where more have come than are wanted, or than the process can
 * have, all are closed and the call fails. The bytes that came with them are then lost as well.
 *
 * @param socket A local (`AF_UNIX`) socket.
 * @param maxFds How many descriptors are wanted at most, 0 to 253.
 * @param options How many bytes to read.
 * @returns The descriptors, if any have come with what was read, and the bytes: none at the end.
 * @throws {PosixError} `EMSGSIZE` if more descriptors have come than `maxFds`, `EMFILE` if there were not numbers for all of them:
 * they are closed; `ENOTSOCK` if it is no socket; `EAGAIN` if it is non-blocking and there is nothing; `ECONNRESET` if the
 * peer has closed without reading all; `EBADF` if it is not open.
 * @throws {RangeError} If `maxFds` is no integer from 0 to 253, or `options.count` no positive one.
 *
 * @example A file, opened by one process for another
 * ```ts
 * import { close, O_RDONLY, open, read, recvFds, sendFds, socketpair } from "@posix/process/ipc";
 * import { _exit, fork } from "@posix/process/process";
 * import { waitpid } from "@posix/process/wait";
 * import { assertEquals } from "@std/assert";
 *
 * const [mine, theirs] = socketpair();
 * const pid = fork();
 * if (pid === 0) {
 *   sendFds(theirs, [open("/dev/zero", O_RDONLY)], "zeros");
 *   _exit(0);
 * }
 * const { fds: [zeros], data } = recvFds(mine, 1);
 * assertEquals(new TextDecoder().decode(data), "zeros");
 * assertEquals(read(zeros!, 3), new Uint8Array(3));
 * waitpid(pid);
 * for (const fd of [zeros!, mine, theirs]) close(fd);
 * ```
 *
 * @see {@link https://man7.org/linux/man-pages/man7/unix.7.html | unix(7)}
 * @see {@link https://man7.org/linux/man-pages/man2/recvmsg.2.html | recvmsg(2)}
 */
export function recvFds(
  socket: number,
  maxFds: number,
  options: RecvFdsOptions = {},
): ReceivedFds {
  const { count = SMALL_READ } = options;
  checkDescriptor(socket, "socket");
  checkInteger(maxFds, "maxFds", 0, FDS_MAX);
  checkInteger(count, "count", 1);
  const message = Message.forFds(count);
  const { recvmsg } = exchangeSymbols();
  const action = () => `Cannot receive descriptors from descriptor ${socket}`;
  const length = retryInterrupted(
    () => recvmsg(socket, message.header, MSG_CMSG_CLOEXEC),
    "recvmsg",
    action,
  );
  const fds = message.fds();
  if (fds.length > maxFds || message.cut) {
    for (const fd of fds) descriptorSymbols().close(fd);
    throw new PosixError(action(), {
      errno: message.cut ? ERRNO.EMFILE : ERRNO.EMSGSIZE,
      syscall: "recvmsg",
      detail: message.cut
        ? `of those that have come only ${fds.length} could be opened, and were closed again`
        : `${fds.length} have come where ${maxFds} are wanted, and were closed`,
    });
  }
  return { fds, data: message.data.slice(0, length) };
}
