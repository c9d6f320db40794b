import { assert, assertEquals, assertThrows } from "@std/assert";
import { addressOf, cString, cStringArray } from "../../ffi/_arguments.ts";
import { memorySymbols } from "../../ffi/_symbols.ts";

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
