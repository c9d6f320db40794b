/**
 * Processes, and the ways in which they talk, as C and Python have them on Linux: `fork`, `exec`, `wait`, pipes, FIFOs and signals,
 * over libc by FFI.
 *
 * Four namespaces, each a module of its own as well, and what they stand on:
 *
 * - {@linkcode [process] | process}: fork, workers, ids, groups, sessions, signals, timers, limits;
 * - {@linkcode [wait] | wait}: how a child ended, and what it has used;
 * - {@linkcode [exec] | exec}: becoming another program; starting one, or several in a row, or one in a terminal of its own;
 * - {@linkcode [ipc] | ipc}: descriptors, pipes, FIFOs, terminals, shared memory, locks, queues;
 * - {@linkcode [ffi] | ffi}, which is no namespace here, only a module: error numbers, constants, struct layouts.
 *
 * What the system refuses is thrown as a {@linkcode PosixError}; wrong arguments are a `TypeError` or a `RangeError` before
 * anything has happened.
 *
 * It needs `--allow-ffi`, or less: `--allow-ffi=` with the absolute path of libc, for all but mapped memory.
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
export { PosixError } from "./ffi/errors.ts";
