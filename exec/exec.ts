import { checkDescriptor, cString } from "../ffi/_arguments.ts";
import { execSymbols } from "../ffi/_symbols.ts";
import { argvBlock, become, type Environment, envpBlock } from "./_become.ts";

export type { Environment } from "./_become.ts";

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

/**
 * `execlpe(file, arg, …, NULL, envp)`: becomes a program that is looked for on `PATH`, with the environment given.
 *
 * {@linkcode execvpe} with the arguments in a row, and without the NULL at their end. glibc has no such function, Python does.
 *
 * @param file The program's name, or a path.
 * @param argsAndEnv All of `argv`, the program's own name first, and then the program's whole environment.
 * @throws {PosixError} As {@linkcode execvpe} does, and named after it; the process is then as it was.
 * @throws {TypeError} If something is no string, or has a NUL in it, or a variable's name is empty or has a `=` in it. A
 * `RangeError` if there are no arguments before the environment.
 *
 * @example A child with one variable
 * ```ts
 * import { execlpe } from "@posix/process/exec";
 * import { _exit, fork } from "@posix/process/process";
 * import { waitpid } from "@posix/process/wait";
 * import { assertEquals } from "@std/assert";
 *
 * const pid = fork();
 * if (pid === 0) {
 *   try {
 *     execlpe("sh", "sh", "-c", "exit $CODE", { CODE: "7" });
 *   } finally {
 *     _exit(127); // only where it cannot be run
 *   }
 * }
 * assertEquals(waitpid(pid)?.status, { kind: "exited", code: 7 });
 * ```
 *
 * @see {@link https://man7.org/linux/man-pages/man3/exec.3.html | exec(3)}
 */
export function execlpe(
  file: string,
  ...argsAndEnv: [...args: string[], env: Environment]
): never {
  const args = argsAndEnv.slice(0, -1) as string[];
  execvpe(file, args, argsAndEnv.at(-1) as Environment);
}

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
