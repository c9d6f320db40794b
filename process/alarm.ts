import { checkInteger } from "../ffi/_arguments.ts";
import { signalSymbols } from "../ffi/_symbols.ts";

/**
 * `alarm(seconds)`: has SIGALRM sent to the process after a number of seconds, which ends it unless it is caught.
 *
 * There is one alarm a process: a new one replaces the old. It survives `exec`; a forked child has none.
 *
 * @param seconds The delay; 0 takes the alarm back.
 * @returns The seconds that were left of the former alarm, to the nearest but at least 1; 0 if there was none.
 * @throws {RangeError} If `seconds` is no integer from 0 to 4,294,967,295.
 *
 * @example Replacing an alarm, then taking it back
 * ```ts
 * import { alarm } from "@posix/process/process";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(alarm(100), 0);
 * assertEquals(alarm(200), 100);
 * assertEquals(alarm(0), 200);
 * ```
 *
 * @see {@link https://man7.org/linux/man-pages/man2/alarm.2.html | alarm(2)}
 */
export function alarm(seconds: number): number {
  checkInteger(seconds, "seconds", 0, 0xffffffff);
  return signalSymbols().alarm(seconds);
}
