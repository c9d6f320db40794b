import { ChildProcess } from "../process/child_process.ts";
import { ChildFds } from "../process/_child_fds.ts";
import { startChild } from "./_start_child.ts";
import { spawnPlan } from "./_spawn_plan.ts";
import type { SpawnOptions } from "./spawn_options.ts";

/**
 * `posix_spawnp(&pid, file, actions, attributes, argv, envp)`: starts a program as a child of this process.
 *
 * The call blocks until the program runs, well under a millisecond, however large this process is: nothing of it is copied, and
 * its threads are of no concern. A program that cannot be run is an error at once, which says what was wrong: the program, its
 * directory, a descriptor. Then there is no child, and everything that was opened for it is closed.
 *
 * What the program gets is what was asked for: no descriptor but the three standard ones and those in `fds`, whoever has opened
 * others without close-on-exec; no signal blocked, none with a handler, SIGPIPE not ignored as it is in Deno. The soft limit of
 * open files however is as high as Deno has set it: what it was is not recorded anywhere. `rusage.maxrss` of its status is at
 * least what this process had resident at the start, as the kernel counts from there.
 *
 * A name without a `/` is looked for in the `PATH` of this process, not in that of `env`. A file without a known format is
 * `ENOEXEC`: it is not given to a shell.
 *
 * `posix_spawn` cannot set `uid`, `gid`, `umask`, `rlimits`, `parentDeathSignal` and `priority`. Some of these belong to a whole
 * process, some the kernel takes away from a new one; set from here they would either be seen by other threads or come too late.
 * With any of them the process is forked as by `fork` instead (but without hooks), and the child sets them, gives up
 * privileges last and then becomes the program. That takes milliseconds, more with a large heap, and does not work in a worker.
 * The rest of this page holds for that way as well; there is nothing between this process and the program in either.
 *
 * @param file The program: a name to be looked for on `PATH`, or a path.
 * @param args Its arguments, without its own name.
 * @param options What it is to start with, and when it is to end.
 * @returns The child. Its streams are there where an option says `"piped"`.
 * @throws {PosixError} `ENOENT` if the program, its interpreter or `cwd` is not there; `EACCES` if it is not to be executed;
 * `ENOEXEC` if its format is not known; `E2BIG` if arguments and environment are too long; `EBADF` if a descriptor is not
 * open; `EMFILE` if there is none left; `EPERM` if the process group is not there, or user, group, limit or priority are not
 * for this process to choose; `EAGAIN` or `ENOMEM` if there can be no further process; what `open` says of a file for a
 * standard stream. With options that take a fork, also what `fork` throws.
 * @throws {TypeError} If an argument has a wrong type, or a NUL in it, or options contradict each other.
 * @throws {RangeError} If a number is out of range.
 *
 * @example A program and what it says
 * ```ts
 * import { spawn } from "@posix/process/exec";
 * import { assertEquals } from "@std/assert";
 *
 * const child = spawn("sh", ["-c", "echo $GREETING; exit 3"], {
 *   env: { GREETING: "你好" },
 *   stdout: "piped",
 * });
 * assertEquals(await child.text(), "你好\n");
 * assertEquals((await child.status).code, 3);
 * ```
 *
 * @example A program that must not take too long
 * ```ts
 * import { spawn } from "@posix/process/exec";
 * import { assertEquals } from "@std/assert";
 *
 * const { signal, timedOut } = await spawn("sleep", ["60"], { timeout: 10 }).status;
 * assertEquals({ signal, timedOut }, { signal: "SIGTERM", timedOut: true });
 * ```
 *
 * @see {@link https://man7.org/linux/man-pages/man3/posix_spawn.3.html | posix_spawn(3)}
 */
export function spawn(
  file: string,
  args: readonly string[] = [],
  options: SpawnOptions = {},
): ChildProcess {
  const { fds, launch, ending } = spawnPlan(file, args, options);
  ending.signal?.throwIfAborted();
  const parts = startChild(launch, new ChildFds(fds));
  return new ChildProcess(parts, ending);
}
