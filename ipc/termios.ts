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
