import { checkInteger, checkObject } from "../ffi/_arguments.ts";
import { WINSIZE } from "../ffi/layouts.ts";
import type { WindowSize } from "./tcgetwinsize.ts";

/** The largest `unsigned short`, as which C holds each of the numbers. */
const UINT16_MAX = 0xffff;

/** The struct that says the size, checked. */
export function winsize(size: WindowSize): DataView<ArrayBuffer> {
  checkObject(size, "size");
  const { columns, rows, xpixel = 0, ypixel = 0 } = size;
  const { ws_col, ws_row, ws_xpixel, ws_ypixel } = WINSIZE.fields;
  const struct = new DataView(new ArrayBuffer(WINSIZE.size));
  const set = (at: number, value: number, name: string) =>
    struct.setUint16(at, checkInteger(value, name, 0, UINT16_MAX), true);
  set(ws_col, columns, "columns");
  set(ws_row, rows, "rows");
  set(ws_xpixel, xpixel, "xpixel");
  set(ws_ypixel, ypixel, "ypixel");
  return struct;
}
