import { assertEquals } from "@std/assert";
import { ProgramScreen } from "../../../examples/tour/program_screen.ts";

/** What is there after the pieces were written. */
function shown(...pieces: string[]): string[] {
  const screen = new ProgramScreen(10, 3);
  for (const piece of pieces) screen.write(piece);
  return screen.lines;
}

Deno.test("ProgramScreen shows lines, and what they are overwritten with", () => {
  assertEquals(shown("one\r\ntwo\r\n"), ["one", "two", ""]);
  assertEquals(shown("abc\rX\b\bY"), ["Ybc"]);
  assertEquals(shown("a\tb"), ["a       b"]);
  assertEquals(shown("a\n b"), ["a", "  b"]);
  assertEquals(shown("a\0\x07b"), ["ab"]);
});

Deno.test("ProgramScreen goes on in the next row where one is full", () => {
  assertEquals(shown("0123456789"), ["0123456789"]);
  assertEquals(shown("0123456789\r\nx"), ["0123456789", "x"]);
  assertEquals(shown("0123456789abc"), ["0123456789", "abc"]);
  assertEquals(shown("进程进程进程"), ["进程进程进", "程"]);
});

Deno.test("ProgramScreen keeps a wide character whole at the end of a row", () => {
  assertEquals(shown("123456789进"), ["123456789", "进"]);
});

Deno.test("ProgramScreen remembers the rows that have scrolled away", () => {
  assertEquals(shown("1\r\n2\r\n3\r\n4\r\n5"), ["1", "2", "3", "4", "5"]);
  const many = Array.from({ length: 3000 }, (_, index) => `${index}`);
  const lines = shown(many.join("\r\n"));
  assertEquals(lines.length, 2000);
  assertEquals(lines.at(-1), "2999");
});

Deno.test("ProgramScreen moves its cursor in the screen, and not out of it", () => {
  assertEquals(shown("1\r\n2\r\n3\r\n4", "\x1b[9A\rX"), ["1", "X", "3", "4"]);
  assertEquals(shown("ab\x1b[2;3Hc\x1b[Hd"), ["db", "  c"]);
  assertEquals(
    shown("ab\x1b[Cc\x1b[3Dd"),
    ["ad c"],
  );
  assertEquals(shown("a\x1b7\r\nb\x1b8c"), ["ac", "b"]);
  assertEquals(shown("\x1b[5;50Hx"), ["", "", "         x"]);
  assertEquals(shown("a\x1b[1Eb\x1b[1Fc\x1b[4Gd\x1b[2de"), ["c  d", "b   e"]);
});

Deno.test("ProgramScreen erases", () => {
  assertEquals(shown("abcdef\x1b[3D\x1b[K"), ["abc"]);
  assertEquals(shown("abcdef\x1b[3D\x1b[1K"), ["    ef"]);
  assertEquals(shown("abcdef\x1b[2Kx"), ["      x"]);
  assertEquals(shown("1\r\n2\r\n3\x1b[2A\x1b[J"), ["1", "", ""]);
  assertEquals(shown("1\r\n2\r\n3\x1b[1A\x1b[1J"), ["", "", "3"]);
  assertEquals(shown("1\r\n2\r\n3\x1b[2J\x1b[Hx"), ["x", "", ""]);
  assertEquals(shown("进程\x1b[3D\x1b[K"), [""]);
});

Deno.test("ProgramScreen leaves out what it has no use for, also when it comes in pieces", () => {
  assertEquals(shown("\x1b[1;31mred\x1b[0m"), ["red"]);
  assertEquals(shown("\x1b]0;title\x07a\x1b]8;;x\x1b\\b"), ["ab"]);
  assertEquals(shown("\x1b(Ba\x1b=b\x1bcc"), ["abc"]);
  assertEquals(shown("a\x1b", "[3", "1mb\x1b]0;ti", "tle\x1b", "\\c"), ["abc"]);
  assertEquals(shown("a\x1b\x1b[1mb"), ["ab"]);
  assertEquals(shown("a\x1b[1\x01b"), ["a[1b"]);
  assertEquals(shown("a\x1b]" + "x".repeat(5000)).length > 100, true);
});

Deno.test("ProgramScreen says where the cursor is", () => {
  const screen = new ProgramScreen(10, 3);
  screen.write("1\r\n2\r\n3\r\n45");
  assertEquals(screen.cursor, { x: 2, y: 3 });
  screen.write("0123456789");
  assertEquals(screen.cursor, { x: 2, y: 4 });
  screen.resize(1, 1);
  assertEquals(screen.cursor, { x: 0, y: 4 });
});
