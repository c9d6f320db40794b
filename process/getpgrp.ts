import { processSymbols } from "../ffi/_symbols.ts";

/**
 * `getpgrp()`: the process group of the calling process.
 *
 * @returns The group's id, which is the pid of its leader.
 *
 * @example The same as asking for one's own
 * ```ts
 * import { getpgid, getpgrp } from "@posix/process/process";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(getpgrp(), getpgid(0));
 * ```
 *
 * @see {@link https://man7.org/linux/man-pages/man2/getpgrp.2.html | getpgrp(2)}
 */
export function getpgrp(): number {
  return processSymbols().getpgrp();
}
