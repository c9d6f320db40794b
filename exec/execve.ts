import { cString } from "../ffi/_c_strings.ts";
import { execSymbols } from "../ffi/_symbols.ts";
import { become } from "./_become.ts";
import { argvBlock, envpBlock } from "./_argv_envp.ts";
import type { Environment } from "./_argv_envp.ts";

export type { Environment } from "./_argv_envp.ts";

/**
 * `execve(path, argv, envp)`: becomes another program, with the environment given.
 *
 * As {@linkcode execv} but for the environment.
 *
 * @param path The program, absolute or relative to the working directory; a file that starts with `#!` is run by its interpreter.
 * @param args All of `argv`, the program's own name first.
 * @param env The program's whole environment: nothing is added to it.
 * @throws {PosixError} As {@linkcode execv} does; the process is then as it was.
 * @throws {TypeError} If something is no string, or has a NUL in it, or a variable's name is empty or has a `=` in it. A
 * `RangeError` if `args` is empty.
 *
 * @example A child with one variable
 * ```ts
 * import { execve } from "@posix/process/exec";
 * import { _exit, fork } from "@posix/process/process";
 * import { waitpid } from "@posix/process/wait";
 * import { assertEquals } from "@std/assert";
 *
 * const pid = fork();
 * if (pid === 0) {
 *   try {
 *     execve("/bin/sh", ["sh", "-c", "exit $CODE"], { CODE: "7" });
 *   } finally {
 *     _exit(127); // only where it cannot be run
 *   }
 * }
 * assertEquals(waitpid(pid)?.status, { kind: "exited", code: 7 });
 * ```
 *
 * @see {@link https://man7.org/linux/man-pages/man2/execve.2.html | execve(2)}
 */
export function execve(
  path: string,
  args: readonly string[],
  env: Environment,
): never {
  const libc = execSymbols();
  const file = cString(path, "path");
  const argv = argvBlock(args);
  const envp = envpBlock(env);
  become(
    () => libc.execve(file, argv, envp),
    "execve",
    () => `Cannot execute ${JSON.stringify(path)}`,
    path,
  );
}
