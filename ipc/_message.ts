import { addressOf } from "../ffi/_c_strings.ts";
import { SOL_SOCKET } from "../ffi/constants.ts";
import { MSG_CTRUNC, SCM_RIGHTS } from "../ffi/descriptor_constants.ts";
import { CMSGHDR, IOVEC, MSGHDR } from "../ffi/layouts.ts";

/** The most descriptors that the kernel puts into one message. */
export const FDS_MAX = 253;

/** Beside the descriptors a peer may have credentials or a label sent along, if the socket was told to ask for them. */
const OTHER_CONTROL = 1024;

/** `CMSG_ALIGN`: control messages begin at multiples of 8 bytes. */
const align = (size: number) => (size + 7) & ~7;

/**
 * A `struct msghdr` with what it points to, in one block that V8 does not move: the header, one `struct iovec`, control
 * messages, data.
 */
export class Message {
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
