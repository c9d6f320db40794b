import { checkDescriptor } from "../ffi/_arguments.ts";
import { checkZero } from "../ffi/_results.ts";
import { descriptorSymbols } from "../ffi/_symbols.ts";
import { TCGETS, TCGETS2 } from "../ffi/terminal_constants.ts";
import { decode, hasOtherRate, newStruct } from "./_termios_struct.ts";
import type { Termios } from "./termios.ts";

/**
 * `tcgetattr(fd, &termios)`: gets the modes of a terminal.
 *
 * Either end of a pseudo-terminal will do: both have the same modes.
 *
 * @param fd The terminal.
 * @returns The modes; an object of the caller's own.
 * @throws {PosixError} `ENOTTY` if it is no terminal; `EIO` if that was hung up; `EBADF` if it is not open.
 *
 * @example A terminal that echoes
 * ```ts
 * import { close, ECHO, openpty, tcgetattr } from "@posix/process/ipc";
 * import { assert, assertEquals } from "@std/assert";
 *
 * const { controller, terminal } = openpty();
 * const { lflag, cc } = tcgetattr(terminal);
 * assert((lflag & ECHO) !== 0);
 * assertEquals(cc.VINTR, 3); // Ctrl+C
 * close(terminal);
 * close(controller);
 * ```
 *
 * @see {@link https://man7.org/linux/man-pages/man3/termios.3.html | termios(3)}
 */
export function tcgetattr(fd: number): Termios {
  checkDescriptor(fd);
  const struct = newStruct();
  ask(fd, TCGETS, struct);
  if (hasOtherRate(struct)) ask(fd, TCGETS2, struct);
  return decode(struct);
}

function ask(fd: number, request: number, struct: DataView<ArrayBuffer>): void {
  checkZero(
    descriptorSymbols().ioctl(fd, BigInt(request), struct),
    "tcgetattr",
    () => `Cannot get the modes of terminal ${fd}`,
  );
}
