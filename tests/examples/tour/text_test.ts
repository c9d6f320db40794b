import { assertEquals } from "@std/assert";
import {
  clip,
  putCharacter,
  textWidth,
  wrap,
} from "../../../examples/tour/text.ts";

Deno.test("textWidth() counts cells", () => {
  assertEquals(textWidth("plain"), 5);
  assertEquals(textWidth("进程"), 4);
  assertEquals(textWidth("é e\u0301"), 3);
  assertEquals(textWidth("🚀"), 2);
  assertEquals(textWidth("…—│└─"), 5);
  assertEquals(textWidth("ｆ（）"), 6);
});

Deno.test("clip() gives just as many cells as wanted", () => {
  assertEquals(clip("abc", 5), "abc  ");
  assertEquals(clip("abcdef", 3), "abc");
  assertEquals(clip("abcdef", 3, 2), "cde");
  assertEquals(clip("abc", 2, 5), "  ");
  assertEquals(clip("进程", 3), "进 ");
  assertEquals(clip("进程a", 3, 1), " 程");
  assertEquals(clip("进程a", 3, 2), "程a");
  assertEquals(clip("a\tb\x1b", 4), "a?b?");
  assertEquals(clip("abc", 0), "");
  for (const from of [0, 1, 2, 3, 4, 5]) {
    for (const width of [0, 1, 2, 3, 4]) {
      assertEquals(textWidth(clip("a进b程c", width, from)), width);
    }
  }
});

Deno.test("wrap() breaks at spaces", () => {
  assertEquals(wrap("one two three", 8), ["one two", "three"]);
  assertEquals(wrap("endless", 3), ["endless"]);
  assertEquals(wrap("", 3), [""]);
});

Deno.test("putCharacter() leaves no half of a wide character", () => {
  const cells: string[] = [];
  assertEquals(putCharacter(cells, 1, "进"), 2);
  assertEquals(cells, [" ", "进", ""]);
  assertEquals(putCharacter(cells, 3, "\u0301"), 0);
  assertEquals(cells, [" ", "进\u0301", ""]);
  assertEquals(putCharacter(cells, 2, "x"), 1);
  assertEquals(cells, [" ", " ", "x"]);
  assertEquals(putCharacter(cells, 0, "程"), 2);
  assertEquals(putCharacter(cells, 1, "程"), 2);
  assertEquals(cells, [" ", "程", ""]);
  assertEquals(putCharacter(cells, 0, "程"), 2);
  assertEquals(cells, ["程", "", " "]);
});
