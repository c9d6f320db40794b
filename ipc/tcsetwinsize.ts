import { checkDescriptor } from "../ffi/_arguments.ts";
import { checkZero } from "../ffi/_results.ts";
import { descriptorSymbols } from "../ffi/_symbols.ts";
import { TIOCSWINSZ } from "../ffi/terminal_constants.ts";
import type { WindowSize } from "./tcgetwinsize.ts";
import { winsize } from "./_window_size.ts";

/**
 * `tcsetwinsize(fd, &size)`: sets the size of a terminal's window.
 *
 * Whoever shows the terminal says so; nothing else happens than that the foreground group gets SIGWINCH if the size is another
 * than before.
 *
 * @param fd The terminal, either end of a pseudo-terminal.
 * @param size The size; each number from 0 to 65,535.
 * @throws {TypeError} If a number is none.
 * @throws {RangeError} If a number is out of range.
 * @throws {PosixError} `ENOTTY` if it is no terminal; `EIO` if that was hung up; `EBADF` if it is not open.
 *
 * @example A window that was made larger
 * ```ts
 * import { close, openpty, tcgetwinsize, tcsetwinsize } from "@posix/process/ipc";
 * import { assertEquals } from "@std/assert";
 *
 * const { controller, terminal } = openpty({ columns: 80, rows: 24 });
 * tcsetwinsize(controller, { columns: 100, rows: 50 });
 * assertEquals(tcgetwinsize(terminal).rows, 50);
 * close(terminal);
 * close(controller);
 * ```
 *
 * @see {@link https://man7.org/linux/man-pages/man2/TIOCSWINSZ.2const.html | TIOCSWINSZ(2const)}
 */
export function tcsetwinsize(fd: number, size: WindowSize): void {
  checkDescriptor(fd);
  const struct = winsize(size);
  checkZero(
    descriptorSymbols().ioctl(fd, BigInt(TIOCSWINSZ), struct),
    "tcsetwinsize",
    () => `Cannot set the window size of terminal ${fd}`,
  );
}
