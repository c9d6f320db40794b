import { assert, assertEquals } from "@std/assert";
import { cString } from "../../ffi/_c_strings.ts";
import { descriptorSymbols } from "../../ffi/_symbols.ts";
import { O_CLOEXEC, O_NOCTTY, O_RDWR, TIOCGPTN } from "../../ffi/constants.ts";

const TIOCSPTLCK = 0x40045431n;

/** A new pseudo-terminal: the two descriptors. */
export function openTerminal(): { controller: number; terminal: number } {
  const libc = descriptorSymbols();
  const flags = O_RDWR | O_NOCTTY | O_CLOEXEC;
  const controller = libc.open(cString("/dev/ptmx", "path"), flags, 0);
  assert(controller !== -1);
  assertEquals(libc.ioctl(controller, TIOCSPTLCK, new Int32Array(1)), 0);
  const number = new Uint32Array(1);
  assertEquals(libc.ioctl(controller, BigInt(TIOCGPTN), number), 0);
  const name = cString(`/dev/pts/${number[0]}`, "path");
  const terminal = libc.open(name, flags, 0);
  assert(terminal !== -1);
  return { controller, terminal };
}
