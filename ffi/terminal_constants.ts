/**
 * The constants of terminals, under their names in C: the modes of `struct termios`, and the requests of `ioctl`.
 *
 * They are the same on x86-64 and aarch64; `tests/ffi/constants_test.ts` compares them with what the C compiler says.
 */

// Input modes: `iflag`

/** Ignore breaks. */
export const IGNBRK: number = 0x1;

/** Let a break send SIGINT to the foreground group. */
export const BRKINT: number = 0x2;

/** Drop bytes with a parity or framing error. */
export const IGNPAR: number = 0x4;

/** Mark bytes with a parity or framing error. */
export const PARMRK: number = 0x8;

/** Check the parity of input. */
export const INPCK: number = 0x10;

/** Strip the eighth bit. */
export const ISTRIP: number = 0x20;

/** Turn newline into carriage return. */
export const INLCR: number = 0x40;

/** Drop carriage returns. */
export const IGNCR: number = 0x80;

/** Turn carriage return, which the Enter key sends, into newline. */
export const ICRNL: number = 0x100;

/** Turn upper case into lower case. */
export const IUCLC: number = 0x200;

/** Let `VSTOP` (Ctrl+S) hold output back, and `VSTART` (Ctrl+Q) release it. */
export const IXON: number = 0x400;

/** Let any character release output. */
export const IXANY: number = 0x800;

/** Send `VSTOP` and `VSTART` when the input queue is full, and has room again. */
export const IXOFF: number = 0x1000;

/** Ring the bell when the input queue is full. */
export const IMAXBEL: number = 0x2000;

/** Input is UTF-8: erasing takes whole characters. */
export const IUTF8: number = 0x4000;

// Output modes: `oflag`

/** Process output; without it the other output modes have no effect. */
export const OPOST: number = 0x1;

/** Turn lower case into upper case. */
export const OLCUC: number = 0x2;

/** Turn newline into carriage return and newline. */
export const ONLCR: number = 0x4;

/** Turn carriage return into newline. */
export const OCRNL: number = 0x8;

/** Put out no carriage return in the first column. */
export const ONOCR: number = 0x10;

/** Newline also goes back to the first column. */
export const ONLRET: number = 0x20;

/** Delay by sending fill characters. */
export const OFILL: number = 0x40;

/** The fill character is DEL. */
export const OFDEL: number = 0x80;

/** Turn tabs into spaces. */
export const XTABS: number = 0x1800;

// Control modes: `cflag`

/** The mask of the character size. */
export const CSIZE: number = 0x30;

/** Five bits a character. */
export const CS5: number = 0;

/** Six bits a character. */
export const CS6: number = 0x10;

/** Seven bits a character. */
export const CS7: number = 0x20;

/** Eight bits a character. */
export const CS8: number = 0x30;

/** Two stop bits. */
export const CSTOPB: number = 0x40;

/** Receive. */
export const CREAD: number = 0x80;

/** Generate and expect parity. */
export const PARENB: number = 0x100;

/** Odd parity. */
export const PARODD: number = 0x200;

/** Hang up when the last process closes the line. */
export const HUPCL: number = 0x400;

/** Ignore the modem's control lines. */
export const CLOCAL: number = 0x800;

/** Fixed parity, with `PARENB`. */
export const CMSPAR: number = 0x40000000;

/** Hardware flow control. */
export const CRTSCTS: number = 0x80000000;

// Local modes: `lflag`

/** Let `VINTR`, `VQUIT` and `VSUSP` (Ctrl+C, Ctrl+\, Ctrl+Z) send signals to the foreground group. */
export const ISIG: number = 0x1;

/** Canonical mode: input is read by lines, which can be edited until Enter. */
export const ICANON: number = 0x2;

/** Upper case is written with a backslash. */
export const XCASE: number = 0x4;

/** Echo what is typed. */
export const ECHO: number = 0x8;

/** Echo `VERASE` by wiping out the character. */
export const ECHOE: number = 0x10;

/** Echo `VKILL` by a newline. */
export const ECHOK: number = 0x20;

/** Echo newline even without `ECHO`. */
export const ECHONL: number = 0x40;

/** Do not discard what is queued when a key sends a signal. */
export const NOFLSH: number = 0x80;

/** Send SIGTTOU to a background process that writes. */
export const TOSTOP: number = 0x100;

/** Echo control characters as `^X`. */
export const ECHOCTL: number = 0x200;

/** Echo characters while they are erased. */
export const ECHOPRT: number = 0x400;

/** Echo `VKILL` by wiping out the line. */
export const ECHOKE: number = 0x800;

/** Output is being discarded. */
export const FLUSHO: number = 0x1000;

/** Print what is queued again at the next read. */
export const PENDIN: number = 0x4000;

/** Let `VLNEXT`, `VWERASE`, `VREPRINT` and `VEOL2` have their meanings. */
export const IEXTEN: number = 0x8000;

/** Lines are edited elsewhere, as by a remote client. */
export const EXTPROC: number = 0x10000;

// Rates, as the kernel has them within `cflag`

/** The mask of the output rate. */
export const CBAUD: number = 0x100f;

/** A rate that has no code of its own. */
export const BOTHER: number = 0x1000;

/** The mask of the input rate. */
export const CIBAUD: number = 0x100f0000;

/** How many bits the input rate is shifted by. */
export const IBSHIFT: number = 16;

// ioctl(2)

/** Get the modes. */
export const TCGETS: number = 0x5401;

/** Set the modes at once; the next two numbers: when output is through, and with unread input discarded as well. */
export const TCSETS: number = 0x5402;

/** Get the modes, with rates that have no code. */
export const TCGETS2: number = 0x802c542a;

/** Set the modes, with rates that have no code; the next two numbers as with `TCSETS`. */
export const TCSETS2: number = 0x402c542b;

/** Make the terminal the controlling terminal of the session that the caller leads. */
export const TIOCSCTTY: number = 0x540e;

/** Get the window size. */
export const TIOCGWINSZ: number = 0x5413;

/** Set the window size. */
export const TIOCSWINSZ: number = 0x5414;

/** Lock a pseudo-terminal, or unlock it; for its controller. */
export const TIOCSPTLCK: number = 0x40045431;
