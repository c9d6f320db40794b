import { O_CLOEXEC, O_NOCTTY, O_RDWR, TIOCGPTN } from "../ffi/constants.ts";
import { cString } from "../ffi/_c_strings.ts";
import { checkValue, checkZero } from "../ffi/_results.ts";
import { descriptorSymbols } from "../ffi/_symbols.ts";
import { TIOCSPTLCK, TIOCSWINSZ } from "../ffi/terminal_constants.ts";
import { close } from "./close.ts";
import type { WindowSize } from "./tcgetwinsize.ts";
import { winsize } from "./_window_size.ts";

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
