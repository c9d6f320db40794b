import type { CallList, CallResult } from "../../ffi/_call_list.ts";
import { O_CLOEXEC, O_RDONLY } from "../../ffi/constants.ts";
import { functionAddresses } from "../../ffi/_function_addresses.ts";

/** Adds to a list of calls what reads a file of /proc into memory, the rest of which is zeroed. Gives the call that tells how much it was. */
export function readFile(
  list: CallList,
  path: Uint8Array<ArrayBuffer>,
  into: Uint8Array<ArrayBuffer>,
): CallResult {
  const { close, memset, open, pread } = functionAddresses();
  list.call(memset, into, 0, into.length);
  const fd = list.call(open, path, O_RDONLY | O_CLOEXEC, 0);
  const count = list.call(pread, fd, into, into.length, 0);
  list.call(close, fd);
  return count;
}
