import {
  checkDescriptor,
  checkInteger,
  checkObject,
  cString,
} from "../ffi/_arguments.ts";
import { checkValue, checkZero, errorFor, readErrno } from "../ffi/_libc.ts";
import { descriptorSymbols, foregroundSymbols } from "../ffi/_symbols.ts";
import { O_CLOEXEC, O_NOCTTY, O_RDWR, TIOCGPTN } from "../ffi/constants.ts";
import { ERRNO } from "../ffi/errors.ts";
import { WINSIZE } from "../ffi/layouts.ts";
import {
  TIOCGWINSZ,
  TIOCSPTLCK,
  TIOCSWINSZ,
} from "../ffi/terminal_constants.ts";
import { close } from "./descriptors.ts";

/**
 * `isatty(fd)`: whether a descriptor is a terminal.
 *
 * @param fd The descriptor.
 * @returns `true` for a terminal, `false` for anything else, a terminal that was hung up included.
 * @throws {PosixError} `EBADF` if the descriptor is not open: C answers that with 0 too, but it is a mistake.
 *
 * @example A pipe is no terminal
 * ```ts
 * import { close, isatty, pipe } from "@posix/process/ipc";
 * import { assertEquals } from "@std/assert";
 *
 * const [reader, writer] = pipe();
 * assertEquals(isatty(reader), false);
 * close(reader);
 * close(writer);
 * ```
 *
 * @see {@link https://man7.org/linux/man-pages/man3/isatty.3.html | isatty(3)}
 */
export function isatty(fd: number): boolean {
  checkDescriptor(fd);
  if (descriptorSymbols().isatty(fd) === 1) return true;
  const errno = readErrno();
  if (errno !== ERRNO.EBADF) return false;
  throw errorFor(
    errno,
    "isatty",
    () => `Cannot tell whether descriptor ${fd} is a terminal`,
  );
}

/** Longer than any path that the kernel gives. */
const NAME_SIZE_MAX = 8192;

/**
 * `ttyname(fd)`: the path of a terminal.
 *
 * @param fd A descriptor of the terminal.
 * @returns The path, such as `/dev/pts/3`.
 * @throws {PosixError} `ENOTTY` if the descriptor is no terminal; `EBADF` if it is not open; `ENODEV` for a terminal that
 * has no name here, such as one that was passed into a container.
 * @throws {RangeError} If `fd` is no integer of 0 or more.
 *
 * @example A pipe has no name
 * ```ts
 * import { close, isatty, pipe, ttyname } from "@posix/process/ipc";
 * import { PosixError } from "@posix/process";
 * import { assertEquals, assertThrows } from "@std/assert";
 *
 * const [reader, writer] = pipe();
 * assertEquals(assertThrows(() => ttyname(reader), PosixError).code, "ENOTTY");
 * if (isatty(0)) assertEquals(ttyname(0).startsWith("/dev/"), true);
 * close(reader);
 * close(writer);
 * ```
 *
 * @see {@link https://man7.org/linux/man-pages/man3/ttyname.3.html | ttyname(3)}
 */
export function ttyname(fd: number): string {
  checkDescriptor(fd);
  for (let size = 128;; size *= 2) {
    const name = new Uint8Array(size);
    const errno = foregroundSymbols().ttyname_r(fd, name, BigInt(size));
    if (errno === 0) {
      return new TextDecoder().decode(name.subarray(0, name.indexOf(0)));
    }
    if (errno === ERRNO.ERANGE && size < NAME_SIZE_MAX) continue;
    throw errorFor(
      errno,
      "ttyname_r",
      () => `Cannot get the name of the terminal of descriptor ${fd}`,
    );
  }
}

/** The largest `unsigned short`, as which C holds each of the numbers. */
const UINT16_MAX = 0xffff;

/** The struct that says the size, checked. */
function winsize(size: WindowSize): DataView<ArrayBuffer> {
  checkObject(size, "size");
  const { columns, rows, xpixel = 0, ypixel = 0 } = size;
  const { ws_col, ws_row, ws_xpixel, ws_ypixel } = WINSIZE.fields;
  const struct = new DataView(new ArrayBuffer(WINSIZE.size));
  const set = (at: number, value: number, name: string) =>
    struct.setUint16(at, checkInteger(value, name, 0, UINT16_MAX), true);
  set(ws_col, columns, "columns");
  set(ws_row, rows, "rows");
  set(ws_xpixel, xpixel, "xpixel");
  set(ws_ypixel, ypixel, "ypixel");
  return struct;
}

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

/** The two ends of a pseudo-terminal. */
export interface Pty {
  /** The end of whoever plays the user: what is written here was typed, and what is read was put on the screen. */
  controller: number;
  /** The end of the programs: a terminal like any other. */
  terminal: number;
  /** The terminal's name, such as `/dev/pts/3`. It is gone when the controller is closed. */
  name: string;
}

const action = () => "Cannot open a pseudo-terminal";

/**
 * `openpty(&controller, &terminal, name, NULL, &size)`: opens a pseudo-terminal.
 *
 * The modes are those of a usual terminal: lines are edited and echoed, and a newline goes out as carriage return and newline.
 * {@linkcode tcsetattr} with {@linkcode makeRaw} has bytes pass through as they are. In canonical mode a line is read when
 * Enter is pressed, and is cut after 4,095 bytes.
 *
 * A read of the controller fails with `EIO` when nobody has the terminal open any more; `readableStream` takes that for
 * the end. When the last copy of the controller is closed, the terminal is hung up: those whose controlling terminal it is get
 * SIGHUP, and reads of the terminal find the end of the file.
 *
 * Neither end becomes the controlling terminal of this process. Both are close-on-exec.
 *
 * @param size The size of the window; all zeros if it is not given.
 * @returns The descriptors of both ends, each to be given to {@linkcode close}, and the terminal's name.
 * @throws {TypeError} If the size is no object, or a number in it is none.
 * @throws {RangeError} If a number of the size is out of range.
 * @throws {PosixError} `ENOSPC` if the system has no pseudo-terminal free (`/proc/sys/kernel/pty/max`); `EMFILE` if the process
 * has not two descriptors left; `ENOENT` or `EACCES` where there is no `/dev/pts`.
 *
 * @example Both ends
 * ```ts
 * import { close, openpty, read, write } from "@posix/process/ipc";
 * import { assertEquals } from "@std/assert";
 *
 * const { controller, terminal, name } = openpty({ columns: 80, rows: 24 });
 * assertEquals(name.startsWith("/dev/pts/"), true);
 * write(terminal, "hello\n");
 * assertEquals(new TextDecoder().decode(read(controller, 100)), "hello\r\n");
 * close(terminal);
 * close(controller);
 * ```
 *
 * @see {@link https://man7.org/linux/man-pages/man3/openpty.3.html | openpty(3)}
 */
export function openpty(size?: WindowSize): Pty {
  const struct = size === undefined ? undefined : winsize(size);
  const controller = openTerminal("/dev/ptmx");
  try {
    const name = unlock(controller);
    if (struct !== undefined) {
      ioctl(controller, TIOCSWINSZ, struct);
    }
    return { controller, terminal: openTerminal(name), name };
  } catch (error) {
    close(controller);
    throw error;
  }
}

/** Opens either end, without making it the controlling terminal. */
function openTerminal(path: string): number {
  return checkValue(
    descriptorSymbols()
      .open(cString(path, "path"), O_RDWR | O_NOCTTY | O_CLOEXEC, 0),
    "open",
    action,
    path,
  );
}

/** `unlockpt` and `ptsname`: has the terminal be opened, and gives its name. */
function unlock(controller: number): string {
  ioctl(controller, TIOCSPTLCK, new Int32Array([0]));
  const number = new Uint32Array(1);
  ioctl(controller, TIOCGPTN, number);
  return `/dev/pts/${number[0]}`;
}

function ioctl(
  controller: number,
  request: number,
  argument: BufferSource,
): void {
  checkZero(
    descriptorSymbols().ioctl(controller, BigInt(request), argument),
    "ioctl",
    action,
  );
}
