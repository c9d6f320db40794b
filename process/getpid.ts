import { processSymbols } from "../ffi/_symbols.ts";

/**
 * `getpid()`: the id of the calling process.
 *
 * Right in a forked child too, where `Deno.pid` may still be the parent's.
 *
 * @returns The pid.
 *
 * @example The process that runs this
 * ```ts
 * import { getpid } from "@posix/process/process";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(getpid(), Deno.pid);
 * ```
 *
 * @see {@link https://man7.org/linux/man-pages/man2/getpid.2.html | getpid(2)}
 */
export function getpid(): number {
  return processSymbols().getpid();
}
