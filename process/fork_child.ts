import { bearChild } from "./_bear_child.ts";
import { ChildProcess } from "./child_process.ts";
import type { ForkOptions } from "./fork_options.ts";

/**
 * Forks a child that runs a function, on an event loop of its own, and ends when that has ended.
 *
 * The child starts with a copy of everything that this process has in memory, and the function may do whatever a Deno
 * program may, at once or asynchronously. Its number is the child's exit code. One that returns nothing ends the child
 * with `Deno.exitCode`; either way is `Deno.exit`, so that `unload` listeners run. An error that nobody catches is printed
 * as Deno prints it, and the exit code is 1; so it is where the function gives anything but an integer from 0 to 255. While
 * the function has not ended the child lives, even if there is nothing left that it could be waiting for.
 *
 * The child never comes back from the call: nothing after the `await` runs there, nor does a second `forkChild` that
 * was called at the same time. The fork does not happen at the call, but at the next turn of the event loop, so what is to be
 * done after the call, without waiting, is done by the parent alone. What {@linkcode fork} says of the child holds here as well: the parent's timers
 * fire in the child too.
 *
 * What the options ask for is done when the promise resolves, and before the function runs. If any of it fails, the child is
 * reaped and nothing is left behind.
 *
 * @param body What the child does.
 * @param options What the child is to be.
 * @returns The child; in the child itself the promise never settles.
 * @throws {TypeError} If an argument has a wrong type, or `newSession` is combined with a group to join.
 * @throws {RangeError} If a number is out of range, or `name` is longer than 15 bytes.
 * @throws {PosixError} What {@linkcode fork} throws; `EBADF` if a given descriptor is not open; `EMFILE` if there is none
 * left; `EPERM` if the process group is not there, or in another session. The error names the call that has failed, be it
 * in the child.
 *
 * @example A child that computes
 * ```ts
 * import { forkChild } from "@posix/process/process";
 * import { assertEquals } from "@std/assert";
 *
 * const table = [1, 2, 3];
 * const child = await forkChild(async () => {
 *   await new Promise((resolve) => setTimeout(resolve, 1));
 *   return table.reduce((sum, number) => sum + number);
 * });
 * assertEquals((await child.status).code, 6);
 * ```
 *
 * @see {@link https://man7.org/linux/man-pages/man2/fork.2.html | fork(2)}
 */
export async function forkChild(
  body: () => number | void | Promise<number | void>,
  options: ForkOptions = {},
): Promise<ChildProcess> {
  return new ChildProcess(await bearChild(body, options));
}
