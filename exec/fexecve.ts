import { checkDescriptor } from "../ffi/_arguments.ts";
import { execSymbols } from "../ffi/_symbols.ts";
import { become } from "./_become.ts";
import { argvBlock, envpBlock } from "./_argv_envp.ts";
import type { Environment } from "./_argv_envp.ts";

/**
 * `fexecve(fd, argv, envp)`: becomes the program that a descriptor is open on, with the environment given.
 *
 * What was checked before (a checksum, an owner) is what is run, even if the path leads elsewhere by now. The descriptor may be
 * opened with `O_PATH`, and should be close-on-exec, or the program inherits it. The exception is a script: its interpreter
 * opens it again as `/dev/fd/N`, which with a close-on-exec descriptor fails with `ENOENT`. The rest is as {@linkcode execv} has it.
 *
 * @param fd The descriptor, open on an executable file for reading or with `O_PATH`.
 * @param args All of `argv`, the program's own name first.
 * @param env The program's whole environment: nothing is added to it.
 * @throws {PosixError} `EBADF` if the descriptor is not open; `ENOENT` for a script on a close-on-exec one; else as
 * {@linkcode execv} does. The process is then as it was.
 * @throws {TypeError} If something is no string, or has a NUL in it, or a variable's name is empty or has a `=` in it. A
 * `RangeError` if `args` is empty or `fd` negative.
 *
 * @example A child that becomes an open shell
 * ```ts
 * import { fexecve } from "@posix/process/exec";
 * import { close, O_CLOEXEC, O_RDONLY, open } from "@posix/process/ipc";
 * import { _exit, fork } from "@posix/process/process";
 * import { waitpid } from "@posix/process/wait";
 * import { assertEquals } from "@std/assert";
 *
 * const shell = open("/bin/sh", O_RDONLY | O_CLOEXEC);
 * const pid = fork();
 * if (pid === 0) {
 *   try {
 *     fexecve(shell, ["sh", "-c", "exit $CODE"], { CODE: "7" });
 *   } finally {
 *     _exit(127); // only where it cannot be run
 *   }
 * }
 * close(shell);
 * assertEquals(waitpid(pid)?.status, { kind: "exited", code: 7 });
 * ```
 *
 * @see {@link https://man7.org/linux/man-pages/man3/fexecve.3.html | fexecve(3)}
 */
export function fexecve(
  fd: number,
  args: readonly string[],
  env: Environment,
): never {
  const libc = execSymbols();
  checkDescriptor(fd);
  const argv = argvBlock(args);
  const envp = envpBlock(env);
  become(
    () => libc.fexecve(fd, argv, envp),
    "fexecve",
    () => `Cannot execute descriptor ${fd}`,
  );
}
