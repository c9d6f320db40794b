import { checkInteger } from "../ffi/_arguments.ts";
import { processSymbols } from "../ffi/_symbols.ts";

/**
 * `umask(mask)`: sets the permission bits that files and directories made by the process shall not have.
 *
 * There is no call that only reads the mask: set one, and set the old one again.
 *
 * @param mask The bits to withhold, such as `0o022`.
 * @returns The former mask.
 * @throws {RangeError} If `mask` is no integer from 0 to 0o777.
 *
 * @example Setting it for a while
 * ```ts
 * import { umask } from "@posix/process/process";
 * import { assertEquals } from "@std/assert";
 *
 * const old = umask(0o077);
 * assertEquals(umask(old), 0o077);
 * ```
 *
 * @see {@link https://man7.org/linux/man-pages/man2/umask.2.html | umask(2)}
 */
export function umask(mask: number): number {
  checkInteger(mask, "mask", 0, 0o777);
  return processSymbols().umask(mask);
}
