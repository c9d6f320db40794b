import { assertEquals } from "@std/assert";
import { cString } from "../../ffi/_arguments.ts";
import { descriptorSymbols } from "../../ffi/_symbols.ts";
import {
  AT_FDCWD,
  S_IFIFO,
  S_IFMT,
  STATX_SIZE,
  STATX_TYPE,
} from "../../ffi/constants.ts";
import { STATX } from "../../ffi/layouts.ts";

/** Asserts that there is a FIFO of that name (type `p`), and that nothing of what goes through it is in the file system. */
export function assertEmptyFifo(path: string): void {
  const state = fileState(path);
  assertEquals(state?.type, S_IFIFO, `the type of ${path}`);
  assertEquals(state?.size, 0n, `the size of ${path}`);
}

/** Asserts that there is nothing of that name. */
export function assertMissing(path: string): void {
  assertEquals(fileState(path), null, path);
}

function fileState(path: string): { type: number; size: bigint } | null {
  const buffer = new Uint8Array(STATX.size);
  const result = descriptorSymbols().statx(
    AT_FDCWD,
    cString(path, "path"),
    0,
    STATX_TYPE | STATX_SIZE,
    buffer,
  );
  if (result === -1) return null;
  const view = new DataView(buffer.buffer);
  return {
    type: view.getUint16(STATX.fields.stx_mode, true) & S_IFMT,
    size: view.getBigUint64(STATX.fields.stx_size, true),
  };
}
