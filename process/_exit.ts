import { rehearsing } from "../ffi/_after_fork.ts";
import { checkInteger } from "../ffi/_arguments.ts";
import { callFunction, symbolAddresses } from "../ffi/_call_list.ts";

/** The exit code, and the word that it is handed over in: to make one of a number takes V8 longer than to end. */
const code = new Int32Array(2);
const word = new BigUint64Array(code.buffer);

// Public in spite of its file's name: the underscore belongs to the name that POSIX gave the function.

/**
 * `_exit(status)`: ends the process at once, and never returns.
 *
 * Nothing of the program runs any more: no `unload` listener, no `finally` block, no pending promise, no `atexit` handler. It
 * is how a child of {@linkcode fork} ends that must not do its parent's cleaning up. What was printed with `console.log` or
 * written by a synchronous call is out already; asynchronous writes that are still under way are lost.
 *
 * @param status The exit code, a C `int`; the parent sees its low eight bits alone, so 256 counts as 0 and -1 as 255.
 * @throws {RangeError} If `status` is no 32-bit integer; the process then goes on.
 *
 * @example Ending a child with an exit code
 * ```ts
 * import { _exit, fork } from "@posix/process/process";
 * import { waitpid } from "@posix/process/wait";
 * import { assertEquals } from "@std/assert";
 *
 * const pid = fork();
 * if (pid === 0) _exit(3);
 * assertEquals(waitpid(pid)?.status, { kind: "exited", code: 3 });
 * ```
 *
 * @see {@link https://man7.org/linux/man-pages/man2/_exit.2.html | _exit(2)}
 */
export function _exit(status: number): never {
  checkInteger(status, "status");
  const { _exit, getppid } = symbolAddresses();
  const end = rehearsing ? getppid : _exit;
  code[0] = status;
  do callFunction(end, word[0]!); while (end === _exit);
  return undefined as never;
}
