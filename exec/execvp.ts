import { cString } from "../ffi/_c_strings.ts";
import { execSymbols } from "../ffi/_symbols.ts";
import { become } from "./_become.ts";
import { argvBlock } from "./_argv_envp.ts";

/**
 * `execvp(file, argv)`: becomes a program that is looked for on `PATH`, with the environment of this one.
 *
 * A name with a slash in it is a path, and not looked for; without `PATH`, glibc looks in `/bin` and `/usr/bin`. The search passes
 * over files that may not be executed, and `EACCES` is the answer only if nothing better is found. A file that the kernel does not
 * take for a program (`ENOEXEC`) is run by `/bin/sh`, as a shell would. The rest is as {@linkcode execv} has it.
 *
 * @param file The program's name, or a path.
 * @param args All of `argv`, the program's own name first.
 * @throws {PosixError} As {@linkcode execv} does, but for `ENOEXEC`; the process is then as it was.
 * @throws {TypeError} If something is no string, or has a NUL in it. A `RangeError` if `args` is empty.
 *
 * @example A child that becomes a shell
 * ```ts
 * import { execvp } from "@posix/process/exec";
 * import { _exit, fork } from "@posix/process/process";
 * import { waitpid } from "@posix/process/wait";
 * import { assertEquals } from "@std/assert";
 *
 * const pid = fork();
 * if (pid === 0) {
 *   try {
 *     execvp("sh", ["sh", "-c", "exit 7"]);
 *   } finally {
 *     _exit(127); // only where it cannot be run
 *   }
 * }
 * assertEquals(waitpid(pid)?.status, { kind: "exited", code: 7 });
 * ```
 *
 * @see {@link https://man7.org/linux/man-pages/man3/execvp.3.html | execvp(3)}
 */
export function execvp(file: string, args: readonly string[]): never {
  const libc = execSymbols();
  const name = cString(file, "file");
  const argv = argvBlock(args);
  become(
    () => libc.execvp(name, argv),
    "execvp",
    () => `Cannot execute ${JSON.stringify(file)}`,
    file,
  );
}
