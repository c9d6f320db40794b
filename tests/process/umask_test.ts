import { assertEquals, assertThrows } from "@std/assert";
import { AT_FDCWD, O_CLOEXEC, O_CREAT, O_WRONLY } from "../../ffi/constants.ts";
import { STATX } from "../../ffi/layouts.ts";
import { cString } from "../../ffi/_arguments.ts";
import { descriptorSymbols } from "../../ffi/_symbols.ts";
import { umask } from "../../process/attributes.ts";
import { forkWith, reap, withDirectory, withoutLeaks } from "../_helpers.ts";

const STATX_MODE = 2;

function mode(path: string): number {
  const buffer = new Uint8Array(STATX.size);
  const result = descriptorSymbols()
    .statx(AT_FDCWD, cString(path, "path"), 0, STATX_MODE, buffer);
  assertEquals(result, 0);
  return new DataView(buffer.buffer)
    .getUint16(STATX.fields.stx_mode, true) & 0o777;
}

Deno.test("umask() gives the former mask", () => {
  const old = umask(0o077);
  try {
    assertEquals(umask(0o777), 0o077);
    assertEquals(umask(0), 0o777);
  } finally {
    assertEquals(umask(old), 0);
  }
});

Deno.test(
  "umask() withholds permissions from new files",
  withoutLeaks(() =>
    withDirectory((directory) => {
      const path = `${directory}/file`;
      const raw = reap(forkWith(() => {
        umask(0o027);
        const flags = O_CREAT | O_WRONLY | O_CLOEXEC;
        descriptorSymbols().open(cString(path, "path"), flags, 0o666);
      }));
      assertEquals(raw, 0);
      assertEquals(mode(path), 0o640);
    })
  ),
);

Deno.test("umask() refuses what is no mask", () => {
  for (const mask of [-1, 0o1000, 2 ** 32, 0.5, NaN]) {
    assertThrows(() => umask(mask), RangeError, "'mask'");
  }
});
