import { execvp } from "./execvp.ts";

/**
 * `execlp(file, arg, …, NULL)`: becomes a program that is looked for on `PATH`, with the environment of this one.
 *
 * {@linkcode execvp} with the arguments in a row, and without the NULL at their end.
 *
 * @param file The program's name, or a path.
 * @param args All of `argv`, the program's own name first.
 * @throws {PosixError} As {@linkcode execvp} does, and named after it; the process is then as it was.
 * @throws {TypeError} If something is no string, or has a NUL in it. A `RangeError` if there are no arguments.
 *
 * @example A child that becomes a shell
 * ```ts
 * import { execlp } from "@posix/process/exec";
 * import { _exit, fork } from "@posix/process/process";
 * import { waitpid } from "@posix/process/wait";
 * import { assertEquals } from "@std/assert";
 *
 * const pid = fork();
 * if (pid === 0) {
 *   try {
 *     execlp("sh", "sh", "-c", "exit 7");
 *   } finally {
 *     _exit(127); // only where it cannot be run
 *   }
 * }
 * assertEquals(waitpid(pid)?.status, { kind: "exited", code: 7 });
 * ```
 *
 * @see {@link https://man7.org/linux/man-pages/man3/execlp.3.html | execlp(3)}
 */
export function execlp(file: string, ...args: string[]): never {
  execvp(file, args);
}
