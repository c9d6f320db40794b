import {
  close,
  makeRaw,
  O_RDWR,
  open,
  readableStream,
  tcgetattr,
  tcgetwinsize,
  tcsetattr,
  type Termios,
  writeAll,
} from "../../ipc/mod.ts";
import { PosixError } from "../../mod.ts";
import type { Size } from "./layout.ts";
import type { Picture } from "./views.ts";

const OUTPUT = 1;

/** Another screen than that of the shell; rows that do not go on in the next one. */
const ENTER = "\x1b[?1049h\x1b[?7l\x1b[H\x1b[2J";
const LEAVE = "\x1b[?7h\x1b[?25h\x1b[?1049l";

/** The terminal that the tour is in, as it is needed; disposed of, it is as it was. */
export class Terminal implements Disposable {
  readonly #colours: boolean;
  /** Opened anew: the shell's own descriptors would see that reading is non-blocking. */
  readonly #fd: number;
  readonly #modes: Termios;
  readonly #typed: ReadableStreamDefaultReader<Uint8Array<ArrayBuffer>>;
  /** What is on the screen. */
  #shown: string[] = [];
  #place = "";
  #restored = false;

  constructor(colours: boolean) {
    this.#colours = colours;
    this.#fd = open("/dev/tty", O_RDWR);
    try {
      this.#modes = tcgetattr(this.#fd);
      this.#typed = readableStream(this.#fd, { autoClose: false }).getReader();
    } catch (error) {
      close(this.#fd);
      throw error;
    }
    tcsetattr(this.#fd, "now", makeRaw(this.#modes));
    writeAll(OUTPUT, ENTER);
  }

  /** Its size, or the usual one where it has none. */
  get size(): Size {
    const { columns, rows } = tcgetwinsize(this.#fd);
    return { columns: columns || 80, rows: rows || 24 };
  }

  /** What is typed next; `undefined` when the terminal is gone. */
  async read(): Promise<Uint8Array | undefined> {
    return (await this.#typed.read()).value;
  }

  /** Shows a picture: those rows are written that have changed. */
  show({ canvas, cursor }: Picture): void {
    if (this.#restored) return;
    const lines = canvas.lines(this.#colours);
    const changes = lines.map((line, y) =>
      line === this.#shown[y] ? "" : `\x1b[${y + 1};1H${line}`
    ).join("");
    const place = cursor === undefined
      ? ""
      : `\x1b[${cursor.y + 1};${cursor.x + 1}H\x1b[?25h`;
    if (changes === "" && place === this.#place) return;
    writeAll(OUTPUT, `\x1b[?25l${changes}${place}`);
    this.#shown = lines;
    this.#place = place;
  }

  /** Forgets what is on the screen, whose size has changed. */
  clear(): void {
    this.#shown = [];
    if (!this.#restored) writeAll(OUTPUT, "\x1b[2J");
  }

  [Symbol.dispose](): void {
    if (this.#restored) return;
    this.#restored = true;
    try {
      tcsetattr(this.#fd, "now", this.#modes);
      writeAll(OUTPUT, LEAVE);
    } catch (error) {
      // It may be gone.
      if (!(error instanceof PosixError)) throw error;
    }
    this.#typed.cancel().then(() => close(this.#fd));
  }
}
