/** Text as a terminal shows it: in cells, of which a character takes none, one or two. */

/** East Asian Wide and Fullwidth of Unicode's annex 11, and the pictures, which are wide as well. */
const WIDE =
  /[\p{Emoji_Presentation}\u{1100}-\u{115f}\u{2329}\u{232a}\u{2e80}-\u{303e}\u{3041}-\u{4dbf}\u{4e00}-\u{a4cf}\u{a960}-\u{a97f}\u{ac00}-\u{d7a3}\u{f900}-\u{faff}\u{fe10}-\u{fe19}\u{fe30}-\u{fe6f}\u{ff01}-\u{ff60}\u{ffe0}-\u{ffe6}\u{1f200}-\u{1f265}\u{20000}-\u{3fffd}]/u;

const NO_CELL = /[\p{Mn}\p{Me}\p{Cf}\u{1160}-\u{11ff}]/u;

/** How many cells a character takes; control characters count as one, for what is shown in their place. */
export function characterWidth(character: string): 0 | 1 | 2 {
  const code = character.codePointAt(0)!;
  if (code < 0x300) return code === 0xad ? 0 : 1;
  if (NO_CELL.test(character)) return 0;
  return WIDE.test(character) ? 2 : 1;
}

/** How many cells a text takes. */
export function textWidth(text: string): number {
  let width = 0;
  for (const character of text) width += characterWidth(character);
  return width;
}

/**
 * Puts a character into a row of cells. One that takes two is followed by an empty cell; of one that was there and
 * is cut in half, a space remains.
 *
 * @returns How many cells it has taken.
 */
export function putCharacter(
  cells: string[],
  at: number,
  character: string,
): number {
  const width = characterWidth(character);
  if (width === 0) {
    let base = Math.min(at, cells.length) - 1;
    if (cells[base] === "") base--;
    if (base >= 0) cells[base] += character;
    return 0;
  }
  while (cells.length < at) cells.push(" ");
  if (cells[at] === "") cells[at - 1] = " ";
  const end = at + width;
  if (cells[end] === "") cells[end] = " ";
  cells[at] = character;
  if (width === 2) cells[at + 1] = "";
  return width;
}

/** The part of a text that is `width` cells wide from cell `from` on, filled up with spaces. */
export function clip(text: string, width: number, from = 0): string {
  let result = "";
  let at = -from;
  for (const character of text) {
    const next = at + characterWidth(character);
    if (next > width) break;
    if (at >= 0) result += visible(character);
    else if (next > 0) result += " "; // half of it is to the left
    at = next;
  }
  return result + " ".repeat(Math.max(0, width - Math.max(at, 0)));
}

/** Breaks a text at spaces into lines no wider than this. */
export function wrap(text: string, width: number): string[] {
  const lines: string[] = [];
  let line = "";
  for (const word of text.split(" ")) {
    const longer = line === "" ? word : `${line} ${word}`;
    if (line === "" || textWidth(longer) <= width) line = longer;
    else {
      lines.push(line);
      line = word;
    }
  }
  return [...lines, line];
}

function visible(character: string): string {
  return /\p{Cc}/u.test(character) ? "?" : character;
}
