import { characterWidth, putCharacter } from "./text.ts";

/** How many rows are remembered. */
const ROWS_MAX = 2000;
/** A sequence that has not ended after so many characters is none. */
const SEQUENCE_MAX = 4096;

const CONTROL = /\p{Cc}/u;
const SEQUENCE =
  // CSI; OSC and other strings with an end; a single character, with those before it.
  // deno-lint-ignore no-control-regex
  /\x1b(?:\[([\x30-\x3f]*)[\x20-\x2f]*([\x40-\x7e])|[\]P_^X](?:[^\x07\x1b]|\x1b(?!\\))*(?:\x07|\x1b\\)|[\x20-\x2f]*([\x30-\x5a`-~]))/y;

/** The same, cut off. */
const BEGUN =
  // deno-lint-ignore no-control-regex
  /\x1b(?:\[[\x30-\x3f]*[\x20-\x2f]*|[\]P_^X](?:[^\x07\x1b]|\x1b(?!\\))*|[\x20-\x2f]*)$/y;

/**
 * What a program has put on its terminal: a small one, which moves its cursor, erases and scrolls as told, has a
 * memory of the rows that have scrolled away, and no colours.
 */
export class ProgramScreen {
  #columns: number;
  #height: number;
  /** All rows, in cells; the last ones are the screen. */
  #rows: string[][] = [[]];
  #x = 0;
  #y = 0;
  #saved = { x: 0, y: 0 };
  /** The start of a sequence whose end has not come yet. */
  #rest = "";

  constructor(columns: number, rows: number) {
    this.#columns = Math.max(1, columns);
    this.#height = Math.max(1, rows);
  }

  /** All rows as text, without spaces at their ends. */
  get lines(): string[] {
    return this.#rows.map((cells) => cells.join("").trimEnd());
  }

  /** Where the cursor is: its row among all of them, and its column. */
  get cursor(): { x: number; y: number } {
    return { x: Math.min(this.#x, this.#columns - 1), y: this.#y };
  }

  /** Goes on with another size; what is there stays as it is. */
  resize(columns: number, rows: number): void {
    this.#columns = Math.max(1, columns);
    this.#height = Math.max(1, rows);
  }

  /** Takes what the program prints. */
  write(text: string): void {
    const all = this.#rest + text;
    this.#rest = "";
    for (let at = 0; at < all.length;) {
      if (all[at] === "\x1b") {
        SEQUENCE.lastIndex = at;
        const match = SEQUENCE.exec(all);
        if (match !== null) {
          this.#follow(match);
          at = SEQUENCE.lastIndex;
          continue;
        }
        BEGUN.lastIndex = at;
        if (BEGUN.test(all) && all.length - at <= SEQUENCE_MAX) {
          this.#rest = all.slice(at);
          return;
        }
        at++;
        continue;
      }
      const character = String.fromCodePoint(all.codePointAt(at)!);
      if (CONTROL.test(character)) this.#control(character);
      else this.#print(character);
      at += character.length;
    }
  }

  /** The index of the screen's first row. */
  get #top(): number {
    return Math.max(0, this.#rows.length - this.#height);
  }

  get #row(): string[] {
    return this.#rows[this.#y]!;
  }

  #print(character: string): void {
    // At the end of a row the cursor waits there for what comes next.
    const width = characterWidth(character);
    if (width > 0 && this.#x + width > this.#columns) this.#newRow();
    this.#x += putCharacter(this.#row, this.#x, character);
  }

  #newRow(): void {
    this.#x = 0;
    this.#lineFeed();
  }

  #lineFeed(): void {
    this.#y++;
    if (this.#y === this.#rows.length) this.#rows.push([]);
    if (this.#rows.length > ROWS_MAX) {
      this.#rows.shift();
      this.#y--;
      this.#saved.y = Math.max(0, this.#saved.y - 1);
    }
  }

  #control(character: string): void {
    if (character === "\n") this.#lineFeed();
    else if (character === "\r") this.#x = 0;
    else if (character === "\b") {
      this.#x = Math.max(0, Math.min(this.#x, this.#columns) - 1);
    } else if (character === "\t") {
      this.#x = Math.min(this.#columns - 1, (this.#x | 7) + 1);
    }
  }

  #follow([, parameters, command, single]: RegExpExecArray): void {
    if (single === "7") this.#saved = { x: this.#x, y: this.#y };
    if (single === "8") this.#moveTo(this.#saved.x, this.#saved.y);
    if (single === "M") this.#moveTo(this.#x, this.#y - 1);
    if (command === undefined) return;
    const numbers = parameters!.split(";").map(Number);
    const [first = 0, second = 0] = numbers;
    const count = Math.max(1, first);
    switch (command) {
      case "A":
        return this.#moveTo(this.#x, this.#y - count);
      case "B":
        return this.#moveTo(this.#x, this.#y + count);
      case "C":
        return this.#moveTo(this.#x + count, this.#y);
      case "D":
        return this.#moveTo(this.#x - count, this.#y);
      case "E":
        return this.#moveTo(0, this.#y + count);
      case "F":
        return this.#moveTo(0, this.#y - count);
      case "G":
        return this.#moveTo(count - 1, this.#y);
      case "d":
        return this.#moveTo(this.#x, this.#top + count - 1);
      case "H":
      case "f":
        return this.#moveTo(Math.max(1, second) - 1, this.#top + count - 1);
      case "J":
        return this.#eraseScreen(first);
      case "K":
        return this.#eraseRow(first);
      case "h":
      case "l":
        // Programs that fill the screen have another one for that; here it is this one, emptied.
        if (parameters === "?1049") {
          this.#eraseScreen(2);
          this.#moveTo(0, this.#top);
        }
    }
  }

  /** Moves the cursor, but not out of the screen. */
  #moveTo(x: number, y: number): void {
    const top = this.#top;
    this.#x = Math.max(0, Math.min(x, this.#columns - 1));
    this.#y = Math.max(top, Math.min(y, top + this.#height - 1));
    while (this.#rows.length <= this.#y) this.#rows.push([]);
  }

  #eraseRow(part: number): void {
    const cells = this.#row;
    if (part === 2) cells.length = 0;
    else if (part === 1) {
      cells.fill(" ", 0, Math.min(this.#x + 1, cells.length));
      if (cells[this.#x + 1] === "") cells[this.#x + 1] = " ";
    } else if (cells.length > this.#x) {
      if (cells[this.#x] === "") cells[this.#x - 1] = " ";
      cells.length = this.#x;
    }
  }

  #eraseScreen(part: number): void {
    if (part === 0) {
      this.#eraseRow(0);
      for (let y = this.#y + 1; y < this.#rows.length; y++) this.#rows[y] = [];
    } else if (part === 1) {
      for (let y = this.#top; y < this.#y; y++) this.#rows[y] = [];
      this.#eraseRow(1);
    } else {
      for (let y = this.#top; y < this.#rows.length; y++) this.#rows[y] = [];
    }
  }
}
