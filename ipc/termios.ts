import {
  checkDescriptor,
  checkInteger,
  checkName,
  checkObject,
} from "../ffi/_arguments.ts";
import { checkZero, retryInterrupted } from "../ffi/_libc.ts";
import { descriptorSymbols } from "../ffi/_symbols.ts";
import { TERMIOS2 } from "../ffi/layouts.ts";
import {
  BOTHER,
  BRKINT,
  CBAUD,
  CIBAUD,
  CS8,
  CSIZE,
  ECHO,
  ECHONL,
  IBSHIFT,
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
  TCGETS,
  TCGETS2,
  TCSETS,
  TCSETS2,
} from "../ffi/terminal_constants.ts";

/** The characters of a terminal that have a meaning, and two numbers that C keeps among them: `VMIN` and `VTIME`. */
export type ControlCharacter =
  | "VINTR"
  | "VQUIT"
  | "VERASE"
  | "VKILL"
  | "VEOF"
  | "VTIME"
  | "VMIN"
  | "VSWTC"
  | "VSTART"
  | "VSTOP"
  | "VSUSP"
  | "VEOL"
  | "VREPRINT"
  | "VDISCARD"
  | "VWERASE"
  | "VLNEXT"
  | "VEOL2";

/**
 * `struct termios`: the modes of a terminal, as {@linkcode tcgetattr} gives and {@linkcode tcsetattr} takes them.
 *
 * The modes are flags, or-ed together; `ECHO`, `ICANON` and all others are exported next to them.
 */
export interface Termios {
  /** Input modes: {@linkcode ICRNL}, {@linkcode IXON} and others. */
  iflag: number;
  /** Output modes: {@linkcode OPOST}, {@linkcode ONLCR} and others. */
  oflag: number;
  /** Control modes: {@linkcode CS8}, {@linkcode CREAD} and others. The rates are not among them, but in fields of their own. */
  cflag: number;
  /** Local modes: {@linkcode ECHO}, {@linkcode ICANON}, {@linkcode ISIG} and others. */
  lflag: number;
  /** The line discipline; 0 is the usual one. */
  line: number;
  /**
   * The control characters by their names in C, as bytes: `VINTR` is 3, for Ctrl+C; 0 stands for none.
   *
   * Without `ICANON`, `VMIN` is how many bytes a read waits for, and `VTIME` for how many tenths of a second.
   */
  cc: Record<ControlCharacter, number>;
  /** The rate of input in bits a second. A pseudo-terminal keeps it, and is as fast as it is. */
  ispeed: number;
  /** The rate of output in bits a second. */
  ospeed: number;
}

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
function newStruct(): DataView<ArrayBuffer> {
  return new DataView(new ArrayBuffer(size));
}

/** Whether a rate has no code, so that the shorter struct does not tell it. */
function hasOtherRate(struct: DataView): boolean {
  const cflag = struct.getUint32(fields.c_cflag, true);
  return (cflag & CBAUD) === BOTHER ||
    ((cflag & CIBAUD) >>> IBSHIFT) === BOTHER;
}

/** What the struct says. */
function decode(struct: DataView): Termios {
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
function encode(termios: Termios): DataView<ArrayBuffer> {
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
