/**
 * Other programs: starting one with {@linkcode spawn}, and becoming one with the `exec` family.
 *
 * {@linkcode spawn} starts a program as a child, as `Deno.Command` does, and gives a `ChildProcess`.
 *
 * {@linkcode spawnPty} starts one in a pseudo-terminal of its own, for programs that talk to people, and gives a
 * {@linkcode PtyProcess}.
 *
 * {@linkcode pipeline} starts several, each of which reads what the one before it writes.
 *
 * A call of the `exec` family that succeeds does not return: the process goes on as the other program, under the same pid. One that fails throws a
 * `PosixError`, and the process is as it was before.
 *
 * | | the arguments in a row | the arguments in an array |
 * |---|---|---|
 * | by path | {@linkcode execl} | {@linkcode execv} |
 * | by path, with an environment | {@linkcode execle} | {@linkcode execve} |
 * | looked for on `PATH` | {@linkcode execlp} | {@linkcode execvp} |
 * | looked for on `PATH`, with an environment | {@linkcode execlpe} | {@linkcode execvpe} |
 * | by descriptor, with an environment | | {@linkcode fexecve} |
 *
 * The arguments are all of `argv`: the first is the program's own name.
 *
 * What the program gets from a Deno process:
 *
 * - **Descriptors**: those that are not close-on-exec. All that Deno opens are; standard input, output and error are not.
 * - **Signals**: none is blocked, and what had a handler is at its default. SIGPIPE too, which Deno ignores. Other ignored signals
 *   stay ignored. But from Deno 2.9 on a running program catches SIGHUP, SIGINT, SIGTERM and SIGUSR1 about half a second after its
 *   start, even if it was started with one of them ignored (`nohup`): that they were is then forgotten.
 * - **Limits**: as they are. Deno raises the soft limit of open files to the hard one when it starts, and programs inherit that, just
 *   as with `Deno.Command`; `setrlimit` before the call sets another.
 * - **The terminal**: as it is. A program that has called `Deno.stdin.setRaw(true)` takes it back before.
 * - **Environment and working directory**: as `Deno.env` and `Deno.cwd()` show them, where the call does not name an environment.
 *
 * No `unload` listener runs, and asynchronous writes that are still under way are lost; `console.log` and synchronous calls have
 * done theirs.
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
 * @module
 */

export type { WindowSize } from "../ipc/terminals.ts";
export type { ControlCharacter, Termios } from "../ipc/termios.ts";
export type {
  ChildOutput,
  ChildProcess,
  ChildStatus,
} from "../process/child_process.ts";
export type { Resource, ResourceLimit } from "../process/limits.ts";
export type { Signal } from "../process/signals.ts";
export type { Rusage } from "../wait/types.ts";
export type { Environment } from "./_become.ts";
export {
  execl,
  execle,
  execlp,
  execlpe,
  execv,
  execve,
  execvp,
  execvpe,
  fexecve,
} from "./exec.ts";
export { Pipeline, pipeline } from "./pipeline.ts";
export type {
  Command,
  PipelineOptions,
  PipelineOutput,
  PipelineStatus,
} from "./pipeline_options.ts";
export { spawn } from "./spawn.ts";
export type { SpawnOptions, SpawnStream } from "./spawn_options.ts";
export { PtyProcess, spawnPty, type SpawnPtyOptions } from "./spawn_pty.ts";
