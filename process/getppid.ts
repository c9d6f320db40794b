import { processSymbols } from "../ffi/_symbols.ts";

/**
 * `getppid()`: the id of the parent of the calling process.
 *
 * When the parent ends, its children get a new one: the nearest ancestor that is a child subreaper, or else process 1. Asked
 * again, the call then gives that one's pid. It gives 0 where the parent lives outside the caller's pid namespace.
 *
 * @returns The parent's pid.
 *
 * @example A child knows its parent
 * ```ts
 * import { _exit, fork, getpid, getppid } from "@posix/process/process";
 * import { waitpid } from "@posix/process/wait";
 * import { assertEquals } from "@std/assert";
 *
 * const parent = getpid();
 * const pid = fork();
 * if (pid === 0) _exit(getppid() === parent ? 0 : 1);
 * assertEquals(waitpid(pid)?.status, { kind: "exited", code: 0 });
 * ```
 *
 * @see {@link https://man7.org/linux/man-pages/man2/getppid.2.html | getppid(2)}
 */
export function getppid(): number {
  return processSymbols().getppid();
}
