import { checkInteger } from "../ffi/_arguments.ts";
import { AF_UNIX, SOCK_CLOEXEC, SOCK_STREAM } from "../ffi/constants.ts";
import { checkZero } from "../ffi/_results.ts";
import { exchangeSymbols } from "../ffi/_symbols.ts";

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
