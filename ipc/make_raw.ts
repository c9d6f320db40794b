import { checkObject } from "../ffi/_arguments.ts";
import {
  BRKINT,
  CS8,
  CSIZE,
  ECHO,
  ECHONL,
  ICANON,
  ICRNL,
  IEXTEN,
  IGNBRK,
  IGNCR,
  INLCR,
  ISIG,
  ISTRIP,
  IXON,
  OPOST,
  PARENB,
  PARMRK,
} from "../ffi/terminal_constants.ts";
import type { Termios } from "./termios.ts";

/**
 * `cfmakeraw(&termios)`: the modes of a raw terminal, made of given ones.
 *
 * Bytes come as they are typed, one by one, without echo, editing or signals, and go out as they are written. No terminal
 * is touched: {@linkcode tcsetattr} sets the result.
 *
 * @param termios The modes to begin with. They are left as they are.
 * @returns The raw modes.
 * @throws {TypeError} If it is no object.
 *
 * @example A terminal that passes everything on
 * ```ts
 * import { close, makeRaw, openpty, read, tcgetattr, tcsetattr, write } from "@posix/process/ipc";
 * import { assertEquals } from "@std/assert";
 *
 * const { controller, terminal } = openpty();
 * tcsetattr(terminal, "now", makeRaw(tcgetattr(terminal)));
 * write(controller, "\x03"); // Ctrl+C, a byte like any other
 * assertEquals(read(terminal, 10), new Uint8Array([3]));
 * close(terminal);
 * close(controller);
 * ```
 *
 * @see {@link https://man7.org/linux/man-pages/man3/termios.3.html | cfmakeraw(3)}
 */
export function makeRaw(termios: Termios): Termios {
  checkObject(termios, "termios");
  const { iflag, oflag, cflag, lflag, cc } = termios;
  return {
    ...termios,
    iflag: iflag &
      ~(IGNBRK | BRKINT | PARMRK | ISTRIP | INLCR | IGNCR | ICRNL | IXON),
    oflag: oflag & ~OPOST,
    cflag: (cflag & ~(CSIZE | PARENB) | CS8) >>> 0,
    lflag: lflag & ~(ECHO | ECHONL | ICANON | ISIG | IEXTEN),
    cc: { ...cc, VMIN: 1, VTIME: 0 },
  };
}
