import { checkInteger, checkObject } from "../ffi/_arguments.ts";
import { TERMIOS2 } from "../ffi/layouts.ts";
import { BOTHER, CBAUD, CIBAUD, IBSHIFT } from "../ffi/terminal_constants.ts";
import type { ControlCharacter, Termios } from "./termios.ts";

/**
 * The kernel's struct, and not that of glibc: what the rates of the latter mean depends on glibc's version (numbers of codes
 * before 2.42, bits a second from then on), while the kernel's `struct termios`, with the codes among the flags, has always
 * been the same. A rate without a code takes `struct termios2`, which is longer by two numbers.
 */
const { size, fields } = TERMIOS2;

/** In the order in which the kernel has them. */
export const CONTROL_CHARACTERS: readonly ControlCharacter[] = [
  "VINTR",
  "VQUIT",
  "VERASE",
  "VKILL",
  "VEOF",
  "VTIME",
  "VMIN",
  "VSWTC",
  "VSTART",
  "VSTOP",
  "VSUSP",
  "VEOL",
  "VREPRINT",
  "VDISCARD",
  "VWERASE",
  "VLNEXT",
  "VEOL2",
];

/** The rates that have a code, in bits a second: first those with codes from 0 on, then those from `BOTHER + 1` on. */
const LOW_RATES = [0, 50, 75, 110, 134, 150, 200, 300, 600, 1200, 1800]
  .concat(2400, 4800, 9600, 19_200, 38_400);
const HIGH_RATES = [57_600, 115_200, 230_400, 460_800, 500_000, 576_000]
  .concat(921_600, 1_000_000, 1_152_000, 1_500_000, 2_000_000, 2_500_000)
  .concat(3_000_000, 3_500_000, 4_000_000);

const UINT32_MAX = 0xffff_ffff;
const INT32_MIN = -0x8000_0000;

/** Room for either struct. */
export function newStruct(): DataView<ArrayBuffer> {
  return new DataView(new ArrayBuffer(size));
}

/** Whether a rate has no code, so that the shorter struct does not tell it. */
export function hasOtherRate(struct: DataView): boolean {
  const cflag = struct.getUint32(fields.c_cflag, true);
  return (cflag & CBAUD) === BOTHER ||
    ((cflag & CIBAUD) >>> IBSHIFT) === BOTHER;
}

/** What the struct says. */
export function decode(struct: DataView): Termios {
  const cflag = struct.getUint32(fields.c_cflag, true);
  const ospeed = rateOf(cflag & CBAUD) ??
    struct.getUint32(fields.c_ospeed, true);
  const inputCode = (cflag & CIBAUD) >>> IBSHIFT;
  return {
    iflag: struct.getUint32(fields.c_iflag, true),
    oflag: struct.getUint32(fields.c_oflag, true),
    cflag: (cflag & ~(CBAUD | CIBAUD)) >>> 0,
    lflag: struct.getUint32(fields.c_lflag, true),
    line: struct.getUint8(fields.c_line),
    cc: Object.fromEntries(
      CONTROL_CHARACTERS.map((name, index) => [
        name,
        struct.getUint8(fields.c_cc + index),
      ]),
    ) as Termios["cc"],
    // Code 0 says: the same as that of output.
    ispeed: inputCode === 0
      ? ospeed
      : rateOf(inputCode) ?? struct.getUint32(fields.c_ispeed, true),
    ospeed,
  };
}

/** The struct that says it, all of it checked. */
export function encode(termios: Termios): DataView<ArrayBuffer> {
  checkObject(termios, "termios");
  const { iflag, oflag, cflag, lflag, line, cc, ispeed, ospeed } = termios;
  checkObject(cc, "termios.cc");
  const struct = newStruct();
  const setFlags = (at: number, flags: number, name: string) =>
    // The bitwise operators of JavaScript give negative numbers where the highest bit is set.
    struct.setUint32(
      at,
      checkInteger(flags, `termios.${name}`, INT32_MIN, UINT32_MAX),
      true,
    );
  setFlags(fields.c_iflag, iflag, "iflag");
  setFlags(fields.c_oflag, oflag, "oflag");
  setFlags(fields.c_lflag, lflag, "lflag");
  setFlags(fields.c_cflag, cflag, "cflag");
  struct.setUint8(
    fields.c_line,
    checkInteger(line, "termios.line", 0, 255),
  );
  CONTROL_CHARACTERS.forEach((name, index) =>
    struct.setUint8(
      fields.c_cc + index,
      checkInteger(cc[name], `termios.cc.${name}`, 0, 255),
    )
  );
  const input = checkInteger(ispeed, "termios.ispeed", 0, UINT32_MAX);
  const output = checkInteger(ospeed, "termios.ospeed", 0, UINT32_MAX);
  struct.setUint32(fields.c_ispeed, input, true);
  struct.setUint32(fields.c_ospeed, output, true);
  const inputCode = input === output ? 0 : codeOf(input);
  struct.setUint32(
    fields.c_cflag,
    cflag & ~(CBAUD | CIBAUD) | codeOf(output) | inputCode << IBSHIFT,
    true,
  );
  return struct;
}

/** The rate of a code, in bits a second; `undefined` for `BOTHER`. */
function rateOf(code: number): number | undefined {
  return code < BOTHER ? LOW_RATES[code] : HIGH_RATES[code - BOTHER - 1];
}

function codeOf(rate: number): number {
  const low = LOW_RATES.indexOf(rate);
  if (low !== -1) return low;
  return BOTHER + HIGH_RATES.indexOf(rate) + 1;
}
