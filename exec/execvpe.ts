import { cString } from "../ffi/_c_strings.ts";
import { execSymbols } from "../ffi/_symbols.ts";
import { become } from "./_become.ts";
import { argvBlock, envpBlock } from "./_argv_envp.ts";
import type { Environment } from "./_argv_envp.ts";

/**
 * `execvpe(file, argv, envp)`: becomes a program that is looked for on `PATH`, with the environment given.
 *
 * It is the `PATH` of the calling process that counts, not one in `env`. The rest is as {@linkcode execvp} has it.
 *
 * @param file The program's name, or a path.
 * @param args All of `argv`, the program's own name first.
 * @param env The program's whole environment: nothing is added to it.
 * @throws {PosixError} As {@linkcode execv} does, but for `ENOEXEC`; the process is then as it was.
 * @throws {TypeError} If something is no string, or has a NUL in it, or a variable's name is empty or has a `=` in it. A
 * `RangeError` if `args` is empty.
 *
 * @example A child with one variable
 * ```ts
 * import { execvpe } from "@posix/process/exec";
 * import { _exit, fork } from "@posix/process/process";
 * import { waitpid } from "@posix/process/wait";
 * import { assertEquals } from "@std/assert";
 *
 * const pid = fork();
 * if (pid === 0) {
 *   try {
 *     execvpe("sh", ["sh", "-c", "exit $CODE"], { CODE: "7" });
 *   } finally {
 *     _exit(127); // only where it cannot be run
 *   }
 * }
 * assertEquals(waitpid(pid)?.status, { kind: "exited", code: 7 });
 * ```
 *
 * @see {@link https://man7.org/linux/man-pages/man3/execvpe.3.html | execvpe(3)}
 */
export function execvpe(
  file: string,
  args: readonly string[],
  env: Environment,
): never {
  const libc = execSymbols();
  const name = cString(file, "file");
  const argv = argvBlock(args);
  const envp = envpBlock(env);
  become(
    () => libc.execvpe(name, argv, envp),
    "execvpe",
    () => `Cannot execute ${JSON.stringify(file)}`,
    file,
  );
}
