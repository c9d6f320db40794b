import { PR_SET_PDEATHSIG } from "../ffi/constants.ts";
import { checkZero } from "../ffi/_results.ts";
import { signalNumber } from "../ffi/_signals.ts";
import { processSymbols } from "../ffi/_symbols.ts";
import type { Signal } from "./signals.ts";

/**
 * `prctl(PR_SET_PDEATHSIG, sig)`: has the kernel send the process a signal when its parent ends.
 *
 * For a child that is not to outlive its parent, however that ends. Two traps of the kernel's:
 *
 * - What counts is the end of the parent's *thread* that has made the child. A parent that has it made by a thread that
 *   ends earlier ends the child with that thread. Of this library's children that is the thread on which the parent's
 *   JavaScript runs: with `deno run` the main one; under `deno test` one that ends with the test file.
 * - A parent that has ended before the call sends nothing any more. So note `getpid()` in the parent, and compare it with
 *   `getppid()` in the child *after* the call; the option `parentDeathSignal` of {@linkcode forkChild} does that.
 *
 * The wish is the calling thread's: under `deno test` it is gone at the end of the test file. It is kept by an executed program
 * (unless that has more privileges, such as a set-user-ID one), and a forked child starts without.
 *
 * @param signal The signal by name or number; `null`, or 0, takes the wish back.
 * @throws {TypeError} If there is no signal of that name; the message has the nearest one.
 * @throws {RangeError} If the number is no integer from 0 to 64.
 *
 * @example A child that does not outlive its parent
 * ```ts
 * import {
 *   _exit,
 *   fork,
 *   getpid,
 *   getppid,
 *   setParentDeathSignal,
 * } from "@posix/process/process";
 * import { waitpid } from "@posix/process/wait";
 * import { assertEquals } from "@std/assert";
 *
 * const parent = getpid();
 * const pid = fork();
 * if (pid === 0) {
 *   setParentDeathSignal("SIGKILL");
 *   if (getppid() !== parent) _exit(1); // it has ended before it could be heard of
 *   _exit(0);
 * }
 * assertEquals(waitpid(pid)?.raw, 0);
 * ```
 *
 * @see {@link https://man7.org/linux/man-pages/man2/PR_SET_PDEATHSIG.2const.html | PR_SET_PDEATHSIG(2const)}
 */
export function setParentDeathSignal(signal: Signal | number | null): void {
  const number = signal === null ? 0 : signalNumber(signal);
  checkZero(
    processSymbols().prctl(PR_SET_PDEATHSIG, BigInt(number)),
    "prctl",
    () => `Cannot ask for signal ${signal} at the parent's end`,
  );
}
