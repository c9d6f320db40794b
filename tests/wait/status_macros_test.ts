import { assertEquals, assertThrows } from "@std/assert";
import {
  WCOREDUMP,
  WEXITSTATUS,
  WIFCONTINUED,
  WIFEXITED,
  WIFSIGNALED,
  WIFSTOPPED,
  WSTOPSIG,
  WTERMSIG,
} from "../../wait/mod.ts";

/** The definitions of glibc's `<bits/waitstatus.h>`, to the letter. */
const MODEL = {
  WEXITSTATUS: (status: number) => (status & 0xff00) >> 8,
  WTERMSIG: (status: number) => status & 0x7f,
  WSTOPSIG: (status: number) => (status & 0xff00) >> 8,
  WIFEXITED: (status: number) => (status & 0x7f) === 0,
  WIFSIGNALED: (status: number) =>
    (((((status & 0x7f) + 1) << 24) >> 24) >> 1) > 0, // (signed char)
  WIFSTOPPED: (status: number) => (status & 0xff) === 0x7f,
  WIFCONTINUED: (status: number) => status === 0xffff,
  WCOREDUMP: (status: number) => (status & 0x80) !== 0,
};

const MACROS = {
  WEXITSTATUS,
  WTERMSIG,
  WSTOPSIG,
  WIFEXITED,
  WIFSIGNALED,
  WIFSTOPPED,
  WIFCONTINUED,
  WCOREDUMP,
};

for (const [name, macro] of Object.entries(MACROS)) {
  Deno.test(`${name}() gives what the macro of C gives, for every word of 16 bits and beyond`, () => {
    const model = MODEL[name as keyof typeof MODEL];
    const words = [-0x80000000, -1, 0x10000, 0x3057f, 0x1ffff, 0x7fffffff];
    for (let raw = 0; raw <= 0xffff; raw++) words.push(raw);
    const wrong = words.filter((raw) => macro(raw) !== model(raw));
    assertEquals(wrong, []);
  });

  Deno.test(`${name}() refuses what is no C int`, () => {
    assertThrows(() => macro("9" as never), TypeError, `'raw'`);
    assertThrows(() => macro(0.5), RangeError, "0.5");
    assertThrows(() => macro(2 ** 31), RangeError, "2147483648");
  });
}
