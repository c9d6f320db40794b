import { checkInteger } from "../ffi/_arguments.ts";
import { processSymbols } from "../ffi/_symbols.ts";

/** `_exit(status)`: ends the process at once. */
export function _exit(status: number): never {
  processSymbols()._exit(checkInteger(status, "status"));
  throw new Error("unreachable");
}
