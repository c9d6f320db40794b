import {
  addressOf,
  checkArray,
  checkDescriptor,
  checkInteger,
} from "../ffi/_arguments.ts";
import { checkZero, retryInterrupted } from "../ffi/_libc.ts";
import { descriptorSymbols, exchangeSymbols } from "../ffi/_symbols.ts";
import {
  AF_UNIX,
  MSG_CMSG_CLOEXEC,
  MSG_CTRUNC,
  MSG_NOSIGNAL,
  SCM_RIGHTS,
  SOCK_CLOEXEC,
  SOCK_STREAM,
  SOL_SOCKET,
} from "../ffi/constants.ts";
import { ERRNO, PosixError } from "../ffi/errors.ts";
import { CMSGHDR, IOVEC, MSGHDR } from "../ffi/layouts.ts";
import { checkData, SMALL_READ } from "./read_write.ts";

/**
 * `socketpair(AF_UNIX, type, 0, fds)`: creates two local sockets that are connected to each other.
 *
 * Like a pipe that goes both ways, and that can carry descriptors: {@linkcode sendFds}. Both ends are close-on-exec;
 * {@linkcode setCloexec} has one inherited by executed programs.
 *
 * @param type {@linkcode SOCK_STREAM} (the default), {@linkcode SOCK_SEQPACKET} or {@linkcode SOCK_DGRAM}, which keep each
 * message in one piece; or-ed with {@linkcode SOCK_NONBLOCK} as needed.
 * @returns The two ends, which are alike. They stay open until {@linkcode close}.
 * @throws {PosixError} `EINVAL` or `ESOCKTNOSUPPORT` if there is no such type or flag; `EMFILE` if the process has not two
 * descriptors left.
 *
 * @example A question and an answer through one pair
 * ```ts
 * import { close, read, socketpair, write } from "@posix/process/ipc";
 * import { assertEquals } from "@std/assert";
 *
 * const [left, right] = socketpair();
 * write(left, "how are you?");
 * assertEquals(read(right, 64).length, 12);
 * write(right, "fine");
 * assertEquals(new TextDecoder().decode(read(left, 64)), "fine");
 * close(left);
 * close(right);
 * ```
 *
 * @see {@link https://man7.org/linux/man-pages/man2/socketpair.2.html | socketpair(2)}
 */
export function socketpair(
  type: number = SOCK_STREAM,
): [one: number, other: number] {
  checkInteger(type, "type", 0);
  const fds = new Int32Array(2);
  checkZero(
    exchangeSymbols().socketpair(AF_UNIX, type | SOCK_CLOEXEC, 0, fds),
    "socketpair",
    () => `Cannot create socket pair of type ${type}`,
  );
  return [fds[0]!, fds[1]!];
}

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

/** The most descriptors that the kernel puts into one message. */
const FDS_MAX = 253;

/** Beside the descriptors a peer may have credentials or a label sent along, if the socket was told to ask for them. */
const OTHER_CONTROL = 1024;

/** `CMSG_ALIGN`: control messages begin at multiples of 8 bytes. */
const align = (size: number) => (size + 7) & ~7;

/**
 * A `struct msghdr` with what it points to, in one block that V8 does not move: the header, one `struct iovec`, control
 * messages, data.
 */
class Message {
  /** For `sendmsg` and `recvmsg`. */
  readonly header: Uint8Array<ArrayBuffer>;
  /** The room for data. */
  readonly data: Uint8Array<ArrayBuffer>;
  readonly #view: DataView<ArrayBuffer>;

  /** Makes room for control messages and for data. */
  constructor(control: number, data: number) {
    const block = new ArrayBuffer(CONTROL + align(control) + data);
    const base = addressOf(block);
    const view = this.#view = new DataView(block);
    this.header = new Uint8Array(block, 0, MSGHDR.size);
    this.data = new Uint8Array(block, CONTROL + align(control), data);
    const { msg_iov, msg_iovlen, msg_control, msg_controllen } = MSGHDR.fields;
    const put = (at: number, value: bigint) =>
      view.setBigUint64(at, value, true);
    put(msg_iov, base + BigInt(MSGHDR.size));
    put(msg_iovlen, 1n);
    put(msg_control, base + BigInt(CONTROL));
    put(msg_controllen, BigInt(control));
    put(
      MSGHDR.size + IOVEC.fields.iov_base,
      base + BigInt(this.data.byteOffset),
    );
    put(MSGHDR.size + IOVEC.fields.iov_len, BigInt(data));
  }

  /** A message that carries descriptors. */
  static withFds(fds: readonly number[], data: Uint8Array): Message {
    const length = CMSGHDR.size + fds.length * 4;
    const message = new Message(align(length), data.length);
    message.data.set(data);
    const { cmsg_len, cmsg_level, cmsg_type } = CMSGHDR.fields;
    const view = message.#view;
    view.setBigUint64(CONTROL + cmsg_len, BigInt(length), true);
    view.setInt32(CONTROL + cmsg_level, SOL_SOCKET, true);
    view.setInt32(CONTROL + cmsg_type, SCM_RIGHTS, true);
    fds.forEach((fd, index) =>
      view.setInt32(CONTROL + CMSGHDR.size + index * 4, fd, true)
    );
    return message;
  }

  /** A message with room for as many descriptors as one can carry: what does not fit, the kernel would drop. */
  static forFds(count: number): Message {
    const control = CMSGHDR.size + align(FDS_MAX * 4) + OTHER_CONTROL;
    return new Message(control, count);
  }

  /** After `recvmsg`: the descriptors that have come. */
  fds(): number[] {
    const view = this.#view;
    const { cmsg_len, cmsg_level, cmsg_type } = CMSGHDR.fields;
    const control = Number(
      view.getBigUint64(MSGHDR.fields.msg_controllen, true),
    );
    const end = CONTROL + control;
    const fds: number[] = [];
    for (let at = CONTROL; at + CMSGHDR.size <= end;) {
      const length = Number(view.getBigUint64(at + cmsg_len, true));
      if (length < CMSGHDR.size) break;
      if (
        view.getInt32(at + cmsg_level, true) === SOL_SOCKET &&
        view.getInt32(at + cmsg_type, true) === SCM_RIGHTS
      ) {
        const stop = at + length;
        for (let fd = at + CMSGHDR.size; fd + 4 <= stop; fd += 4) {
          fds.push(view.getInt32(fd, true));
        }
      }
      at += align(length);
    }
    return fds;
  }

  /** After `recvmsg`: whether there was more than could be handed over. */
  get cut(): boolean {
    const flags = this.#view.getInt32(MSGHDR.fields.msg_flags, true);
    return (flags & MSG_CTRUNC) !== 0;
  }
}

/** Where the control messages lie in a {@linkcode Message}. */
const CONTROL = MSGHDR.size + IOVEC.size;

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
