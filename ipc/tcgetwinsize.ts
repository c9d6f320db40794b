import { checkDescriptor } from "../ffi/_arguments.ts";
import { WINSIZE } from "../ffi/layouts.ts";
import { checkZero } from "../ffi/_results.ts";
import { descriptorSymbols } from "../ffi/_symbols.ts";
import { TIOCGWINSZ } from "../ffi/terminal_constants.ts";

/** `struct winsize`: the size of a terminal's window. */
export interface WindowSize {
  /** How many characters are in a row. */
  columns: number;
  /** How many rows there are. */
  rows: number;
  /**
   * The width in pixels.
   *
   * @default {0} unknown
   */
  xpixel?: number;
  /**
   * The height in pixels.
   *
   * @default {0} unknown
   */
  ypixel?: number;
}

/**
 * `tcgetwinsize(fd, &size)`: gets the size of a terminal's window.
 *
 * All zeros stand for a size that nobody has set.
 *
 * @param fd The terminal, either end of a pseudo-terminal.
 * @returns The size.
 * @throws {PosixError} `ENOTTY` if it is no terminal; `EIO` if that was hung up; `EBADF` if it is not open.
 *
 * @example The size of a new pseudo-terminal
 * ```ts
 * import { close, openpty, tcgetwinsize } from "@posix/process/ipc";
 * import { assertEquals } from "@std/assert";
 *
 * const { controller, terminal } = openpty({ columns: 132, rows: 43 });
 * const { columns, rows } = tcgetwinsize(terminal);
 * assertEquals([columns, rows], [132, 43]);
 * close(terminal);
 * close(controller);
 * ```
 *
 * @see {@link https://man7.org/linux/man-pages/man2/TIOCGWINSZ.2const.html | TIOCGWINSZ(2const)}
 */
export function tcgetwinsize(fd: number): Required<WindowSize> {
  checkDescriptor(fd);
  const struct = new DataView(new ArrayBuffer(WINSIZE.size));
  checkZero(
    descriptorSymbols().ioctl(fd, BigInt(TIOCGWINSZ), struct),
    "tcgetwinsize",
    () => `Cannot get the window size of terminal ${fd}`,
  );
  const { ws_col, ws_row, ws_xpixel, ws_ypixel } = WINSIZE.fields;
  return {
    columns: struct.getUint16(ws_col, true),
    rows: struct.getUint16(ws_row, true),
    xpixel: struct.getUint16(ws_xpixel, true),
    ypixel: struct.getUint16(ws_ypixel, true),
  };
}
