import { cString } from "../ffi/_c_strings.ts";
import { checkZero } from "../ffi/_results.ts";
import { processSymbols } from "../ffi/_symbols.ts";

/**
 * `chdir(path)`: changes the working directory of the process.
 *
 * It is one for all threads, and `Deno.cwd()` and relative paths given to Deno follow it. Forked children and executed programs
 * start in it.
 *
 * @param path The directory.
 * @throws {PosixError} `ENOENT`, `ENOTDIR`, `EACCES` (no search permission), `ELOOP`, `ENAMETOOLONG`: what is wrong with the path.
 * @throws {TypeError} If `path` is no string, or has a NUL in it.
 *
 * @example A child at the root
 * ```ts
 * import { _exit, chdir, fork } from "@posix/process/process";
 * import { waitpid } from "@posix/process/wait";
 * import { assertEquals } from "@std/assert";
 *
 * const pid = fork();
 * if (pid === 0) {
 *   chdir("/");
 *   chdir("proc"); // relative to it
 *   _exit(0);
 * }
 * assertEquals(waitpid(pid)?.status, { kind: "exited", code: 0 });
 * ```
 *
 * @see {@link https://man7.org/linux/man-pages/man2/chdir.2.html | chdir(2)}
 */
export function chdir(path: string): void {
  checkZero(
    processSymbols().chdir(cString(path, "path")),
    "chdir",
    () => `Cannot change the working directory to ${JSON.stringify(path)}`,
    path,
  );
}
