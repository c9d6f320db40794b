import { checkDescriptor, checkName } from "../ffi/_arguments.ts";
import { retryInterrupted } from "../ffi/_results.ts";
import { descriptorSymbols } from "../ffi/_symbols.ts";
import { TCSETS, TCSETS2 } from "../ffi/terminal_constants.ts";
import { encode, hasOtherRate } from "./_termios_struct.ts";
import type { Termios } from "./termios.ts";

/**
 * When new modes take effect: at once (`TCSANOW`); when all that was written is through (`TCSADRAIN`); or then, and what was
 * typed but not read yet is discarded (`TCSAFLUSH`).
 */
export type TcsetattrWhen = "now" | "drain" | "flush";

/** In the order of C, and of the requests. */
const WHEN: readonly TcsetattrWhen[] = ["now", "drain", "flush"];

/**
 * `tcsetattr(fd, when, &termios)`: sets the modes of a terminal.
 *
 * They belong to the terminal, and outlive the process: put back what {@linkcode tcgetattr} gave before. `"drain"` and
 * `"flush"` block the thread, event loop included, until a real line has sent all; a pseudo-terminal does not wait. A process
 * in the background is stopped by SIGTTOU if it tries, unless it ignores that. Retried on `EINTR`.
 *
 * Modes that the terminal does not have are passed over without a word, as in C.
 *
 * @param fd The terminal, either end of a pseudo-terminal.
 * @param when `"now"`, `"drain"` or `"flush"`.
 * @param termios All of the modes, most of them as {@linkcode tcgetattr} gave them.
 * @throws {TypeError} If `when` is unknown, or a field has not the type of a number.
 * @throws {RangeError} If a field is out of range.
 * @throws {PosixError} `ENOTTY` if it is no terminal; `EIO` if that was hung up, or the process is in a background group
 * that nobody could continue; `EBADF` if it is not open.
 *
 * @example Reading a password
 * ```ts
 * import { close, ECHO, openpty, read, tcgetattr, tcsetattr, write } from "@posix/process/ipc";
 * import { assertEquals } from "@std/assert";
 *
 * const { controller, terminal } = openpty();
 * const before = tcgetattr(terminal);
 * tcsetattr(terminal, "flush", { ...before, lflag: before.lflag & ~ECHO });
 * write(controller, "secret\n"); // typed by somebody
 * const password = new TextDecoder().decode(read(terminal, 100)).trimEnd();
 * tcsetattr(terminal, "now", before);
 * assertEquals(password, "secret");
 * close(terminal);
 * close(controller);
 * ```
 *
 * @see {@link https://man7.org/linux/man-pages/man3/termios.3.html | termios(3)}
 */
export function tcsetattr(
  fd: number,
  when: TcsetattrWhen,
  termios: Termios,
): void {
  checkDescriptor(fd);
  const order = WHEN.indexOf(checkName(when, "when", WHEN));
  const struct = encode(termios);
  const request = (hasOtherRate(struct) ? TCSETS2 : TCSETS) + order;
  const libc = descriptorSymbols();
  retryInterrupted(
    () => libc.ioctl(fd, BigInt(request), struct),
    "tcsetattr",
    () => `Cannot set the modes of terminal ${fd}`,
  );
}
