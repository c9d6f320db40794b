import { execv } from "./execv.ts";

/**
 * `execl(path, arg, …, NULL)`: becomes another program, with the environment of this one.
 *
 * {@linkcode execv} with the arguments in a row, and without the NULL at their end.
 *
 * @param path The program, absolute or relative to the working directory.
 * @param args All of `argv`, the program's own name first.
 * @throws {PosixError} As {@linkcode execv} does, and named after it; the process is then as it was.
 * @throws {TypeError} If something is no string, or has a NUL in it. A `RangeError` if there are no arguments.
 *
 * @example A child that becomes a shell
 * ```ts
 * import { execl } from "@posix/process/exec";
 * import { _exit, fork } from "@posix/process/process";
 * import { waitpid } from "@posix/process/wait";
 * import { assertEquals } from "@std/assert";
 *
 * const pid = fork();
 * if (pid === 0) {
 *   try {
 *     execl("/bin/sh", "sh", "-c", "exit 7");
 *   } finally {
 *     _exit(127); // only where it cannot be run
 *   }
 * }
 * assertEquals(waitpid(pid)?.status, { kind: "exited", code: 7 });
 * ```
 *
 * @see {@link https://man7.org/linux/man-pages/man3/execl.3.html | execl(3)}
 */
export function execl(path: string, ...args: string[]): never {
  execv(path, args);
}
