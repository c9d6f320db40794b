import { cString } from "../ffi/_c_strings.ts";
import { execSymbols } from "../ffi/_symbols.ts";
import { become } from "./_become.ts";
import { argvBlock } from "./_argv_envp.ts";

/**
 * `execv(path, argv)`: becomes another program, with the environment of this one.
 *
 * On success it does not return: the process, its pid, its parent and its open descriptors stay, but no line of this program runs
 * again. Descriptors that are close-on-exec are closed, signals that are caught are at their default, SIGPIPE (which Deno ignores)
 * too, and no signal is blocked. Other ignored signals stay ignored.
 *
 * @param path The program, absolute or relative to the working directory; a file that starts with `#!` is run by its interpreter.
 * @param args All of `argv`, the program's own name first.
 * @throws {PosixError} `ENOENT` if there is no such file, or its interpreter is missing; `EACCES` if it is no regular file, may not
 * be executed or lies where the caller may not go; `ENOEXEC` if it is no program; `E2BIG` if arguments and environment are too long;
 * `ENOTDIR`, `ELOOP`, `ENAMETOOLONG` if the path is wrong; `ETXTBSY` if the file is open for writing; `EAGAIN`, `ENOMEM` and `EPERM` if
 * the system forbids it. The process is then as it was.
 * @throws {TypeError} If something is no string, or has a NUL in it. A `RangeError` if `args` is empty.
 *
 * @example A child that becomes a shell
 * ```ts
 * import { execv } from "@posix/process/exec";
 * import { _exit, fork } from "@posix/process/process";
 * import { waitpid } from "@posix/process/wait";
 * import { assertEquals } from "@std/assert";
 *
 * const pid = fork();
 * if (pid === 0) {
 *   try {
 *     execv("/bin/sh", ["sh", "-c", "exit 7"]);
 *   } finally {
 *     _exit(127); // only where it cannot be run
 *   }
 * }
 * assertEquals(waitpid(pid)?.status, { kind: "exited", code: 7 });
 * ```
 *
 * @see {@link https://man7.org/linux/man-pages/man3/execv.3.html | execv(3)}
 */
export function execv(path: string, args: readonly string[]): never {
  const libc = execSymbols();
  const file = cString(path, "path");
  const argv = argvBlock(args);
  become(
    () => libc.execv(file, argv),
    "execv",
    () => `Cannot execute ${JSON.stringify(path)}`,
    path,
  );
}
