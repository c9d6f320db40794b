import {
  addressOf,
  checkDescriptor,
  checkInteger,
  checkMode,
  checkName,
  checkSize,
  checkString,
  cString,
  cStringArray,
  describe,
} from "../../ffi/_arguments.ts";
import { memorySymbols } from "../../ffi/_symbols.ts";
import { assert, assertEquals, assertThrows } from "@std/assert";

/** Values of every other type than the one wanted. */
const NO_NUMBERS = ["1", 1n, null, undefined, true, [], {}, new Number(1)];
const NO_STRINGS = [1, 1n, null, undefined, true, ["a"], {}, new String("a")];

Deno.test("checkInteger() gives back every C int", () => {
  for (const value of [0, 1, -1, 2 ** 31 - 1, -(2 ** 31)]) {
    assertEquals(checkInteger(value, "n"), value);
  }
});

Deno.test("checkInteger() gives 0 for -0, which FFI would refuse", () => {
  for (const check of [checkInteger, checkDescriptor, checkSize, checkMode]) {
    assert(Object.is(check(-0, "n"), 0), check.name);
  }
});

Deno.test("checkInteger() refuses what would wrap or be cut at 32 bits", () => {
  for (
    const value of [2 ** 31, -(2 ** 31) - 1, 2 ** 32, 1.5, NaN, -Infinity]
  ) {
    assertThrows(
      () => checkInteger(value, "count"),
      RangeError,
      `'count' must be an integer from -2147483648 to 2147483647: current value is ${value}`,
    );
  }
});

Deno.test("checkInteger() includes both bounds of a narrower range", () => {
  assertEquals([3, 7].map((value) => checkInteger(value, "n", 3, 7)), [3, 7]);
  for (const value of [2, 8]) {
    assertThrows(
      () => checkInteger(value, "n", 3, 7),
      RangeError,
      `'n' must be an integer from 3 to 7: current value is ${value}`,
    );
  }
});

Deno.test("checkInteger() refuses what is no number, by a TypeError", () => {
  for (const value of NO_NUMBERS) {
    assertThrows(
      () => checkInteger(value as never, "pid"),
      TypeError,
      `'pid' must be a number: current value is ${describe(value)}`,
    );
  }
});

Deno.test("checkDescriptor() refuses negative numbers", () => {
  assertEquals(checkDescriptor(0), 0);
  assertEquals(checkDescriptor(2 ** 31 - 1), 2 ** 31 - 1);
  assertThrows(
    () => checkDescriptor(-1),
    RangeError,
    "'fd' must be an integer from 0 to 2147483647: current value is -1",
  );
  assertThrows(() => checkDescriptor(-1, "oldFd"), RangeError, "'oldFd'");
});

Deno.test("checkSize() takes sizes beyond 32 bits, and none that a number cannot hold", () => {
  assertEquals(checkSize(2 ** 40, "size"), 2 ** 40);
  assertEquals(checkSize(0, "size"), 0);
  assertThrows(() => checkSize(-1, "size"), RangeError, "'size'");
  assertThrows(() => checkSize(2 ** 53, "size"), RangeError, "'size'");
  assertThrows(() => checkSize(11, "size", 10), RangeError, "from 0 to 10");
});

Deno.test("checkMode() takes the twelve permission bits and no file type", () => {
  assertEquals(checkMode(0o7777), 0o7777);
  assertThrows(() => checkMode(0o10000), RangeError, "'mode'");
  assertThrows(() => checkMode(-1), RangeError, "'mode'");
});

Deno.test("checkString() gives back any text, the empty one included", () => {
  for (const value of ["", "a", "Zoë", "进程", "😀", "\n\x01\x7f"]) {
    assertEquals(checkString(value, "path"), value);
  }
});

Deno.test("checkString() refuses NUL wherever it stands", () => {
  for (const value of ["\0", "a\0", "\0b", "a\0b"]) {
    assertThrows(
      () => checkString(value, "path"),
      TypeError,
      `'path' must not contain NUL: current value is ${JSON.stringify(value)}`,
    );
  }
});

Deno.test("checkString() refuses lone surrogates, which UTF-8 cannot spell", () => {
  for (const value of ["\ud83d", "a\ude00", "\ude00\ud83d"]) {
    assertThrows(
      () => checkString(value, "path"),
      TypeError,
      "'path' must not contain a lone surrogate",
    );
  }
});

Deno.test("checkString() refuses what is no string, by a TypeError", () => {
  for (const value of NO_STRINGS) {
    assertThrows(
      () => checkString(value as never, "file"),
      TypeError,
      `'file' must be a string: current value is ${describe(value)}`,
    );
  }
});

Deno.test("checkName() gives back a known name, and nothing that objects inherit", () => {
  assertEquals(checkName("SIGINT", "signal", ["SIGHUP", "SIGINT"]), "SIGINT");
  for (const value of ["toString", "__proto__", "constructor", "0", ""]) {
    assertThrows(
      () => checkName(value, "signal", ["SIGHUP" as string]),
      TypeError,
      "'signal' is unknown",
    );
  }
});

Deno.test("checkName() answers a wrong name with the nearest, whatever the case", () => {
  const known = ["SIGHUP", "SIGKILL", "SIGTERM"];
  for (
    const [wrong, nearest] of [
      ["SIGTREM", "SIGTERM"],
      ["sigkill", "SIGKILL"],
      ["HUP", "SIGHUP"],
    ] as const
  ) {
    assertThrows(
      () => checkName(wrong, "signal", known),
      TypeError,
      `'signal' is unknown: current value is "${wrong}", did you mean "${nearest}"`,
    );
  }
});

Deno.test("checkName() refuses an endless name at once, and quotes only its beginning", () => {
  const started = performance.now();
  const error = assertThrows(
    () => checkName("x".repeat(10_000_000), "signal", ["SIGHUP" as string]),
    TypeError,
  );
  assert(error.message.length < 200, error.message);
  assert(performance.now() - started < 1000);
});

Deno.test("checkName() refuses what is no string, by a TypeError", () => {
  for (const value of NO_STRINGS) {
    assertThrows(
      () => checkName(value as never, "signal", ["SIGHUP"]),
      TypeError,
      `'signal' must be a string: current value is ${describe(value)}`,
    );
  }
});

Deno.test("describe() quotes strings, and keeps to 80 characters", () => {
  assertEquals(describe("a\0b"), `"a\\u0000b"`);
  assertEquals(describe(1n), "1n");
  assertEquals(describe(undefined), "undefined");
  assertEquals(describe("x".repeat(78)).length, 80);
  const long = describe("x".repeat(1000));
  assertEquals([long.length, long.at(-1)], [80, "…"]);
});

const decoder = new TextDecoder();

/** What C sees at an address: `size` bytes of it. */
function bytesAt(address: bigint, size: number): Uint8Array {
  const copy = new Uint8Array(size);
  memorySymbols().memcpy(copy, address, BigInt(size));
  return copy;
}

/** What C would read in an array of strings: pointer after pointer up to NULL, and each string up to its NUL. */
function readArray(block: Uint8Array<ArrayBuffer>): string[] {
  const start = addressOf(block.buffer);
  const end = start + BigInt(block.length);
  const strings: string[] = [];
  for (let at = 0; at + 8 <= block.length; at += 8) {
    const pointer = new DataView(bytesAt(start + BigInt(at), 8).buffer)
      .getBigUint64(0, true);
    if (pointer === 0n) return strings;
    assert(pointer > start && pointer < end, "a pointer out of the block");
    const rest = bytesAt(pointer, Number(end - pointer));
    assert(rest.includes(0), "a string without an end");
    strings.push(decoder.decode(rest.subarray(0, rest.indexOf(0))));
  }
  throw new Error("no NULL at the end of the array");
}

/** Makes V8 collect and move what it can. */
function churn(): void {
  let kept: unknown[] = [];
  for (let round = 0; round < 200; round++) {
    kept = Array.from({ length: 2000 }, (_, index) => ({ round, index, kept }));
    if (round % 10 === 0) kept = [];
  }
}

Deno.test("cString() is the text in UTF-8 and one NUL", () => {
  assertEquals([...cString("", "s")], [0]);
  assertEquals([...cString("ab", "s")], [97, 98, 0]);
  assertEquals([...cString("é", "s")], [0xc3, 0xa9, 0]);
  assertEquals([...cString("进", "s")], [0xe8, 0xbf, 0x9b, 0]);
  assertEquals([...cString("😀", "s")], [0xf0, 0x9f, 0x98, 0x80, 0]);
  const text = "Zoë 进程 😀".repeat(1000);
  const bytes = cString(text, "s");
  assertEquals(bytes.indexOf(0), bytes.length - 1);
  assertEquals(decoder.decode(bytes.subarray(0, -1)), text);
});

Deno.test("cString() refuses what C would cut short or could not spell", () => {
  assertThrows(() => cString("a\0b", "path"), TypeError, "'path'");
  assertThrows(() => cString("\ud800", "path"), TypeError, "'path'");
  assertThrows(() => cString(7 as never, "path"), TypeError, "'path'");
});

Deno.test("addressOf() gives the address of a buffer's first byte", () => {
  const bytes = new Uint8Array(new ArrayBuffer(4096)).map((_, i) => i % 251);
  assertEquals(bytesAt(addressOf(bytes.buffer), bytes.length), bytes);
});

Deno.test("addressOf() gives an address that lasts", () => {
  const buffers = [1, 8, 64, 65, 4096].map((size) => new ArrayBuffer(size));
  const addresses = buffers.map(addressOf);
  churn();
  assertEquals(buffers.map(addressOf), addresses);
});

Deno.test("cStringArray() is what C takes for an argv", () => {
  for (
    const values of [
      [],
      [""],
      ["ls", "-al"],
      ["", "a", "", "b", ""],
      ["Zoë", "进程", "😀", "a b", "\n"],
      Array.from({ length: 500 }, (_, index) => "x".repeat(index % 100)),
      ["y".repeat(200_000)],
    ]
  ) {
    assertEquals(readArray(cStringArray(values, "argv")), values);
  }
});

Deno.test("cStringArray() stays valid while V8 collects", () => {
  const values = ["ps", "aux", "进程"];
  const block = cStringArray(values, "argv");
  churn();
  assertEquals(readArray(block), values);
});

Deno.test("cStringArray() names the element that it refuses", () => {
  assertThrows(
    () => cStringArray(["a", "b\0c"], "argv"),
    TypeError,
    `'argv[1]' must not contain NUL: current value is "b\\u0000c"`,
  );
  assertThrows(
    () => cStringArray(["a", "\udc00"], "argv"),
    TypeError,
    "'argv[1]' must not contain a lone surrogate",
  );
  assertThrows(
    () => cStringArray(["a", "b", 3 as never], "argv"),
    TypeError,
    "'argv[2]' must be a string: current value is 3",
  );
});
