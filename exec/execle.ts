import { execve } from "./execve.ts";
import type { Environment } from "./_argv_envp.ts";

/**
 * `execle(path, arg, …, NULL, envp)`: becomes another program, with the environment given.
 *
 * {@linkcode execve} with the arguments in a row, and without the NULL at their end.
 *
 * @param path The program, absolute or relative to the working directory.
 * @param argsAndEnv All of `argv`, the program's own name first, and then the program's whole environment.
 * @throws {PosixError} As {@linkcode execve} does, and named after it; the process is then as it was.
 * @throws {TypeError} If something is no string, or has a NUL in it, or a variable's name is empty or has a `=` in it. A
 * `RangeError` if there are no arguments before the environment.
 *
 * @example A child with one variable
 * ```ts
 * import { execle } from "@posix/process/exec";
 * import { _exit, fork } from "@posix/process/process";
 * import { waitpid } from "@posix/process/wait";
 * import { assertEquals } from "@std/assert";
 *
 * const pid = fork();
 * if (pid === 0) {
 *   try {
 *     execle("/bin/sh", "sh", "-c", "exit $CODE", { CODE: "7" });
 *   } finally {
 *     _exit(127); // only where it cannot be run
 *   }
 * }
 * assertEquals(waitpid(pid)?.status, { kind: "exited", code: 7 });
 * ```
 *
 * @see {@link https://man7.org/linux/man-pages/man3/execle.3.html | execle(3)}
 */
export function execle(
  path: string,
  ...argsAndEnv: [...args: string[], env: Environment]
): never {
  const args = argsAndEnv.slice(0, -1) as string[];
  execve(path, args, argsAndEnv.at(-1) as Environment);
}
