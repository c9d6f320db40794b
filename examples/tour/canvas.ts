import { characterWidth, clip, putCharacter } from "./text.ts";

/** How something is to look. Nothing depends on it alone: there may be no colours. */
export type Style = "plain" | "title" | "focus" | "chosen" | "faint" | "news";

const CODES: Record<Style, string> = {
  plain: "0",
  title: "0;1",
  focus: "0;1;36",
  chosen: "0;7",
  faint: "0;32",
  news: "0;33",
};

/** A part of the screen. */
export interface Rectangle {
  x: number;
  y: number;
  width: number;
  height: number;
}

/** A picture of the whole screen, in cells. */
export class Canvas {
  readonly columns: number;
  readonly rows: number;
  readonly #cells: string[][];
  readonly #styles: Style[][];

  constructor(columns: number, rows: number) {
    this.columns = columns;
    this.rows = rows;
    this.#cells = Array.from(
      { length: rows },
      () => Array<string>(columns).fill(" "),
    );
    this.#styles = Array.from(
      { length: rows },
      () => Array<Style>(columns).fill("plain"),
    );
  }

  /** Puts a text, of which no more than `width` cells are shown; the rest of them is filled. */
  put(
    x: number,
    y: number,
    width: number,
    text: string,
    style: Style = "plain",
    from = 0,
  ): void {
    const cells = this.#cells[y];
    const room = Math.min(width, this.columns - x);
    if (cells === undefined || room <= 0) return;
    let at = x;
    for (const character of clip(text, room, from)) {
      // What joins the character before it must not join one of another text.
      if (at === x && characterWidth(character) === 0) continue;
      at += putCharacter(cells, at, character);
    }
    this.#styles[y]!.fill(style, x, x + room);
  }

  /** The rows as they are to be written. */
  lines(colours: boolean): string[] {
    return this.#cells.map((cells, y) =>
      colours ? this.#coloured(cells, this.#styles[y]!) : cells.join("")
    );
  }

  #coloured(cells: string[], styles: Style[]): string {
    let line = "";
    let style: Style = "plain";
    for (const [x, cell] of cells.entries()) {
      if (styles[x] !== style) {
        style = styles[x]!;
        line += `\x1b[${CODES[style]}m`;
      }
      line += cell;
    }
    return style === "plain" ? line : `${line}\x1b[0m`;
  }
}
