import { checkDescriptor } from "../ffi/_arguments.ts";
import { checkValue } from "../ffi/_results.ts";
import { foregroundSymbols } from "../ffi/_symbols.ts";

/**
 * `tcgetpgrp(fd)`: the process group in the foreground of a terminal: the one that may read, and that Ctrl+C reaches.
 *
 * @param fd A descriptor of the caller's controlling terminal, or of a pseudo-terminal's controller.
 * @returns The group's id; where no group is in the foreground, a number above 1 that no group has, or, of a controller, 0.
 * @throws {PosixError} `ENOTTY` if the descriptor is no terminal, or not the caller's controlling one; `EBADF` if it is not open.
 * @throws {RangeError} If `fd` is no integer of 0 or more.
 *
 * @example Whether this program is in the foreground
 * ```ts
 * import { getpgrp, tcgetpgrp } from "@posix/process/process";
 * import { PosixError } from "@posix/process";
 * import { assert } from "@std/assert";
 *
 * function inForeground(): boolean {
 *   try {
 *     return tcgetpgrp(0) === getpgrp();
 *   } catch (error) {
 *     assert(error instanceof PosixError); // without a terminal: ENOTTY
 *     return false;
 *   }
 * }
 * assert(typeof inForeground() === "boolean");
 * ```
 *
 * @see {@link https://man7.org/linux/man-pages/man3/tcgetpgrp.3.html | tcgetpgrp(3)}
 */
export function tcgetpgrp(fd: number): number {
  checkDescriptor(fd);
  return checkValue(
    foregroundSymbols().tcgetpgrp(fd),
    "tcgetpgrp",
    () => `Cannot get the foreground group of descriptor ${fd}`,
  );
}
