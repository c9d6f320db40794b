/**
 * Processes, and the ways in which they talk, as C and Python have them on Linux: `fork`, `exec`, `wait`, pipes, FIFOs and signals,
 * over libc by FFI.
 *
 * Four namespaces, each a module of its own as well: {@linkcode process} (fork, ids, groups, signals, limits), {@linkcode wait},
 * {@linkcode exec} and {@linkcode ipc} (descriptors, pipes, FIFOs). What the system refuses is thrown as a {@linkcode PosixError};
 * wrong arguments are a `TypeError` or a `RangeError` before anything has happened.
 *
 * It needs `--allow-ffi`, or less: `--allow-ffi=` with the absolute path of libc.
 *
 * @example `echo` into a pipe
 * ```ts
 * import { exec, ipc, process, wait } from "@posix/process";
 * import { assertEquals } from "@std/assert";
 *
 * const [from, to] = ipc.pipe();
 * const child = process.fork();
 * if (child === 0) {
 *   ipc.dup2(to, 1);
 *   exec.execlp("echo", "echo", "hello");
 * }
 * ipc.close(to);
 * assertEquals(new TextDecoder().decode(ipc.readAll(from)), "hello\n");
 * ipc.close(from);
 * assertEquals(wait.waitpid(child)?.status, { kind: "exited", code: 0 });
 * ```
 *
 * @module
 */

export * as exec from "./exec/mod.ts";
export * as ipc from "./ipc/mod.ts";
export * as process from "./process/mod.ts";
export * as wait from "./wait/mod.ts";
export { PosixError } from "./ffi/posix_error.ts";
