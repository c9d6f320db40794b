import { assert, assertEquals, assertThrows } from "@std/assert";
import {
  MAP_ANONYMOUS,
  MAP_SHARED,
  PROT_READ,
  PROT_WRITE,
} from "../../ffi/constants.ts";
import { mapMemory, mappingOf, unmapMemory } from "../../ffi/_memory.ts";
import { PosixError } from "../../ffi/errors.ts";
import { forkWith, readText, reap, withoutLeaks } from "../_helpers.ts";

const READ_WRITE = PROT_READ | PROT_WRITE;
const ANONYMOUS = MAP_SHARED | MAP_ANONYMOUS;

function isMapped(address: bigint): boolean {
  return new RegExp(`^0*${address.toString(16)}-`, "m")
    .test(readText("/proc/self/maps"));
}

Deno.test(
  "mapMemory() gives memory that a forked child shares",
  withoutLeaks(() => {
    const buffer = mapMemory(-1, 8192, READ_WRITE, ANONYMOUS);
    assertEquals(buffer.byteLength, 8192);
    const bytes = new Uint8Array(buffer);
    assertEquals(bytes.findIndex((byte) => byte !== 0), -1);
    bytes[8191] = 7;
    const status = reap(forkWith(() => {
      const seen = bytes[8191]!;
      bytes[0] = 42;
      return seen;
    }));
    assertEquals([status, bytes[0]], [7 << 8, 42]);
    unmapMemory(buffer);
  }),
);

Deno.test("mapMemory() throws what mmap refuses with", () => {
  const error = assertThrows(
    () => mapMemory(-1, 0, READ_WRITE, ANONYMOUS),
    PosixError,
    "Cannot map 0 bytes",
  );
  assertEquals([error.code, error.syscall], ["EINVAL", "mmap"]);
});

Deno.test("unmapMemory() detaches the buffer, whatever was made of it, and does no more the second time", () => {
  const buffer = mapMemory(-1, 4096, READ_WRITE, ANONYMOUS);
  const words = new Int32Array(buffer);
  const { address } = mappingOf(buffer);
  assert(isMapped(address));
  unmapMemory(buffer);
  assert(!isMapped(address));
  assertEquals([buffer.byteLength, words.length, words[0]], [0, 0, undefined]);
  assertThrows(() => Atomics.load(words, 0), TypeError, "detached");
  unmapMemory(buffer);
});

Deno.test("unmapMemory() leaves the memory mapped until the last pin is taken out", () => {
  const buffer = mapMemory(-1, 4096, READ_WRITE, ANONYMOUS);
  const mapping = mappingOf(buffer);
  mapping.pin();
  mapping.pin();
  unmapMemory(buffer);
  assert(buffer.detached && isMapped(mapping.address));
  mapping.unpin();
  assert(isMapped(mapping.address));
  mapping.unpin();
  assert(!isMapped(mapping.address));
});

Deno.test("unmapMemory() refuses a buffer that was not mapped", () => {
  assertThrows(
    () => unmapMemory(new ArrayBuffer(8)),
    TypeError,
    "must be memory that was mapped",
  );
});
