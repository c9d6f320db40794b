import { assertEquals, assertThrows } from "@std/assert";
import { strsignal } from "../../process/signals.ts";

// Deno never calls setlocale(), so that glibc answers in English here, whatever LANG says.
const libc = Deno.dlopen("libc.so.6", {
  strsignal: { parameters: ["i32"], result: "usize" },
  strncpy: { parameters: ["buffer", "usize", "usize"], result: "usize" },
}).symbols;

function glibcText(signal: number): string {
  const text = new Uint8Array(64);
  libc.strncpy(text, libc.strsignal(signal), 63n);
  return new TextDecoder().decode(text.subarray(0, text.indexOf(0)));
}

Deno.test("strsignal() says what glibc says", () => {
  for (const signal of [-2_147_483_648, 2_147_483_647]) {
    assertEquals(strsignal(signal), glibcText(signal));
  }
  for (let signal = -2; signal <= 70; signal++) {
    assertEquals(strsignal(signal), glibcText(signal));
  }
});

Deno.test("strsignal() refuses what is no 32-bit integer", () => {
  for (const signal of [2 ** 31, 1.5, NaN]) {
    assertThrows(() => strsignal(signal), RangeError, "'signal'");
  }
});
