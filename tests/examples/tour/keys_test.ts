import { assertEquals } from "@std/assert";
import { parseKeys } from "../../../examples/tour/keys.ts";

Deno.test("parseKeys() tells keys from characters", () => {
  assertEquals(parseKeys("jk\r\t"), ["j", "k", "enter", "tab"]);
  assertEquals(parseKeys("\x1b[A\x1bOB\x1b[5~x"), [
    "up",
    "down",
    "page up",
    "x",
  ]);
  assertEquals(parseKeys("\x1b"), ["escape"]);
  assertEquals(parseKeys("\x1b[1;5Cq"), ["\x1b[1;5C", "q"]);
  assertEquals(parseKeys("\x1d\x03进"), ["ctrl ]", "ctrl c", "进"]);
});
