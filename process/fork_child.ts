import { onForkedChild } from "../ffi/_after_fork.ts";
import { checkFunction, checkInteger } from "../ffi/_arguments.ts";
import { hasTestRunner } from "../ffi/_deno_core.ts";
import { checkZero } from "../ffi/_libc.ts";
import { descriptorSymbols } from "../ffi/_symbols.ts";
import { O_CLOEXEC } from "../ffi/constants.ts";
import { TIOCSCTTY } from "../ffi/terminal_constants.ts";
import { close, dup2, dup3 } from "../ipc/descriptors.ts";
import { openpty, type Pty, type WindowSize } from "../ipc/terminals.ts";
import { standardCopies } from "./_child_fds.ts";
import { _exit } from "./_exit.ts";
import { poolThreads } from "./_fork/pool_threads.ts";
import { PlannedFork, planOf } from "./_planned_fork.ts";
import { type ChildParts, ChildProcess } from "./child_process.ts";
import { fork } from "./fork.ts";
import type { ForkOptions } from "./fork_options.ts";
import { setsid } from "./ids.ts";

const EXIT_CODE_MAX = 255;

/** What a forked child does, and then ends with. */
type ChildBody = () => number | void | Promise<number | void>;

/**
 * In the child: runs the body, and ends the process when it has ended.
 *
 * The way out is Deno's own: `Deno.exit` for a body that has ended, and for one that fails a promise whose rejection nobody
 * handles, which Deno prints, to end with code 1. Only where a test runner would catch both is the child ended past it.
 */
function startBody(body: ChildBody): void {
  if (hasTestRunner()) leavePastRunner();
  // A child whose body waits for nothing that the event loop knows of must not end as if that were the end of it.
  setInterval(() => {}, 2 ** 31 - 1);
  run(body);
}

async function run(body: ChildBody): Promise<void> {
  let code: number | void;
  try {
    code = await body();
    if (code !== undefined) {
      checkInteger(code, "body()", 0, EXIT_CODE_MAX);
    }
  } catch (error) {
    // Where a listener of the program's own takes care of such rejections, the child must end all the same.
    addEventListener("unhandledrejection", (event) => {
      if (event.defaultPrevented) Deno.exit(1);
    });
    throw error;
  }
  // `undefined` stands for `Deno.exitCode`.
  Deno.exit(code as number | undefined);
}

/** Has exits end the process, and errors that nobody handles be printed as Deno prints them, and end it. */
function leavePastRunner(): void {
  Deno.exit = (code) => _exit(code ?? Deno.exitCode);
  addEventListener("error", (event) => {
    if (!event.defaultPrevented) printAndExit("Uncaught", event.error);
  });
  addEventListener("unhandledrejection", (event) => {
    if (!event.defaultPrevented) {
      printAndExit("Uncaught (in promise)", event.reason);
    }
  });
}

function printAndExit(how: string, error: unknown): never {
  console.error(`error: ${how} ${Deno.inspect(error)}`);
  _exit(1);
}

/** What `forkChild` does: forks a child that runs the body, and gives what a `ChildProcess` is made of. */
export async function bearChild(
  body: ChildBody,
  options: ForkOptions,
): Promise<ChildParts> {
  checkFunction(body, "body");
  const plan = planOf(options);
  await nextTurn();
  const planned = new PlannedFork(plan);
  const pid = planned.fork();
  if (pid === 0) {
    startBody(body);
    return await never();
  }
  const parts = await planned.attend(pid);
  await poolThreads.settled();
  return parts;
}

/** How many forks this process is away from the first: what was called in another one is not to go on in this. */
let generation = 0;
let registered = false;

/**
 * Waits until nothing is left on the stack, and no reaction to a promise is due: all of that would run in the child as well.
 * A call that some other fork has carried over into a child gets no further than this.
 */
async function nextTurn(): Promise<void> {
  if (!registered) onForkedChild(() => void generation++);
  registered = true;
  const called = generation;
  await new Promise((resolve) => setTimeout(resolve));
  if (called !== generation) await never();
}

function never(): Promise<never> {
  return new Promise(() => {});
}

/**
 * Forks a child that runs a function, on an event loop of its own, and ends when that has ended.
 *
 * The child starts with a copy of everything that this process has in memory, and the function may do whatever a Deno
 * program may, at once or asynchronously. Its number is the child's exit code. One that returns nothing ends the child
 * with `Deno.exitCode`; either way is `Deno.exit`, so that `unload` listeners run. An error that nobody catches is printed
 * as Deno prints it, and the exit code is 1; so it is where the function gives anything but an integer from 0 to 255. While
 * the function has not ended the child lives, even if there is nothing left that it could be waiting for.
 *
 * The child never comes back from the call: nothing after the `await` runs there, nor does a second `forkChild` that
 * was called at the same time. The fork does not happen at the call, but at the next turn of the event loop, so what is to be
 * done after the call, without waiting, is done by the parent alone. What {@linkcode fork} says of the child holds here as well: the parent's timers
 * fire in the child too.
 *
 * What the options ask for is done when the promise resolves, and before the function runs. If any of it fails, the child is
 * reaped and nothing is left behind.
 *
 * @param body What the child does.
 * @param options What the child is to be.
 * @returns The child; in the child itself the promise never settles.
 * @throws {TypeError} If an argument has a wrong type, or `newSession` is combined with a group to join.
 * @throws {RangeError} If a number is out of range, or `name` is longer than 15 bytes.
 * @throws {PosixError} What {@linkcode fork} throws; `EBADF` if a given descriptor is not open; `EMFILE` if there is none
 * left; `EPERM` if the process group is not there, or in another session. The error names the call that has failed, be it
 * in the child.
 *
 * @example A child that computes
 * ```ts
 * import { forkChild } from "@posix/process/process";
 * import { assertEquals } from "@std/assert";
 *
 * const table = [1, 2, 3];
 * const child = await forkChild(async () => {
 *   await new Promise((resolve) => setTimeout(resolve, 1));
 *   return table.reduce((sum, number) => sum + number);
 * });
 * assertEquals((await child.status).code, 6);
 * ```
 *
 * @see {@link https://man7.org/linux/man-pages/man2/fork.2.html | fork(2)}
 */
export async function forkChild(
  body: () => number | void | Promise<number | void>,
  options: ForkOptions = {},
): Promise<ChildProcess> {
  return new ChildProcess(await bearChild(body, options));
}

/** What {@linkcode forkpty} gives on either side. */
export interface ForkedPty {
  /** 0 in the child; in the parent, the child's pid. */
  pid: number;
  /** In the parent, the controlling end of the child's terminal; in the child, which does not have it, -1. */
  controller: number;
  /** The name of the terminal, such as `/dev/pts/3`. */
  name: string;
}

const STDERR = 2;

/**
 * `forkpty(&controller, name, NULL, &size)`: forks a child that has a pseudo-terminal of its own.
 *
 * The child leads a new session, and the terminal is its controlling terminal and its standard input, output and error: those of
 * Deno, of `console` and of programs that it becomes or starts. Apart from that it is a child as of {@linkcode fork}. To start a
 * program in a terminal, `spawnPty` does not fork.
 *
 * Under `deno test`, `console.log` goes to the test runner past the terminal; what is written to descriptor 1 does not.
 *
 * @param size The size of the window; all zeros if it is not given.
 * @returns Which side it is, and the terminal. In the parent, the controller is to be closed, and the child to be waited for. A read
 * of the controller fails with `EIO` when the child, and whoever else has the terminal open, has closed it.
 * @throws {TypeError} If the size is no object, or a number in it is none.
 * @throws {RangeError} If a number of the size is out of range.
 * @throws {PosixError} What `openpty` and {@linkcode fork} throw; then nothing is left open.
 *
 * @example A child that talks to a terminal
 * ```ts
 * import { _exit, forkpty } from "@posix/process/process";
 * import { close, isatty, read, write } from "@posix/process/ipc";
 * import { waitpid } from "@posix/process/wait";
 * import { assertEquals } from "@std/assert";
 *
 * const { pid, controller } = forkpty({ columns: 80, rows: 24 });
 * if (pid === 0) {
 *   write(1, isatty(0) ? "a terminal\n" : "something else\n");
 *   _exit(0);
 * }
 * assertEquals(new TextDecoder().decode(read(controller, 100)), "a terminal\r\n");
 * assertEquals(waitpid(pid)?.raw, 0);
 * close(controller);
 * ```
 *
 * @see {@link https://man7.org/linux/man-pages/man3/forkpty.3.html | forkpty(3)}
 */
export function forkpty(size?: WindowSize): ForkedPty {
  const pty = openpty(size);
  const { controller, terminal, name } = pty;
  let pid: number;
  try {
    pid = fork();
  } catch (error) {
    close(terminal);
    close(controller);
    throw error;
  }
  if (pid === 0) {
    logIn(pty);
    return { pid, controller: -1, name };
  }
  close(terminal);
  return { pid, controller, name };
}

/** `login_tty`: makes the terminal this child's own. A child that cannot have it must not go on as if it had. */
function logIn({ controller, terminal, name }: Pty): void {
  try {
    close(controller);
    setsid();
    checkZero(
      descriptorSymbols().ioctl(terminal, BigInt(TIOCSCTTY), null),
      "ioctl",
      () => `Cannot make ${name} the controlling terminal`,
    );
    const copies = standardCopies();
    for (let fd = 0; fd <= STDERR; fd++) {
      dup2(terminal, fd);
      const copy = copies.get(fd);
      if (copy !== undefined) dup3(fd, copy, O_CLOEXEC);
    }
    if (terminal > STDERR) close(terminal);
  } catch (error) {
    console.error(error);
    _exit(1);
  }
}
