import { memorySymbols } from "./_symbols.ts";

let location: bigint | undefined;
const copy = new Int32Array(1);

/**
 * The calling thread's `errno`.
 *
 * Read it right after the call that failed, before anything else runs. After a `nonblocking` call it says nothing: that
 * ran on another thread. It is fetched with `memcpy`, since Deno's own views of foreign memory need a permission for
 * all of FFI, while everything else here is content with one for libc alone.
 */
export function readErrno(): number {
  const libc = memorySymbols();
  location ??= libc.__errno_location();
  libc.memcpy(copy, location, 4n);
  return copy[0]!;
}
