import { checkFunction, checkObject, describe } from "../ffi/_arguments.ts";
import type { Termios } from "../ipc/termios.ts";
import { ChildFds } from "../process/_child_fds.ts";
import type { ChildParts } from "../process/_child_parts.ts";
import { PtyController } from "./_pty_controller.ts";
import { PtyProcess } from "./pty_process.ts";
import type { SpawnOptions } from "./spawn_options.ts";
import { type SpawnPlan, spawnPlan } from "./_spawn_plan.ts";
import { startChild } from "./_start_child.ts";

/** What the terminal decides. */
const DECIDED = [
  "stdin",
  "stdout",
  "stderr",
  "newSession",
  "processGroup",
] as const;

const STDERR = 2;

/** Options for `spawnPty`: those of `spawn`, without what the terminal decides, and the terminal's own. */
export interface SpawnPtyOptions extends
  Omit<
    SpawnOptions,
    "stdin" | "stdout" | "stderr" | "newSession" | "processGroup"
  > {
  /**
   * How many characters are in a row of the window.
   *
   * @default {80}
   */
  columns?: number;
  /**
   * How many rows the window has.
   *
   * @default {24}
   */
  rows?: number;
  /**
   * The modes that the terminal starts with, made of the usual ones; `makeRaw` for bytes that pass through as they are.
   *
   * @default {undefined} the usual ones: lines that are edited and echoed
   */
  modes?: (modes: Termios) => Termios;
  /**
   * Whether signals that this process ignores have their default actions in the program: all, or those given. Without it, keys
   * such as Ctrl+C may have no effect where this process was started in the background.
   *
   * @default {true}
   */
  resetSignals?: NonNullable<SpawnOptions["resetSignals"]>;
}

/**
 * Starts a program in a pseudo-terminal of its own, as a terminal emulator does.
 *
 * The program leads a new session, the terminal is its controlling terminal and its standard input, output and error: it finds
 * `isatty` true, `/dev/tty` opens, Ctrl+C and Ctrl+Z send signals, and a shell has job control. It is started as by
 * {@linkcode spawn}, and so without a fork.
 *
 * The environment says nothing of the new terminal: `TERM` is this process's unless `env` names one, such as `xterm-256color`.
 *
 * Read what it prints, or it is held back when some kilobytes have piled up.
 *
 * @param file The program: a name to be looked for on `PATH`, or a path.
 * @param args Its arguments, without its own name.
 * @param options What it is to start with, the size and the modes of its terminal, and when it is to end.
 * @returns The program and its terminal.
 * @throws {PosixError} `ENOSPC` if the system has no pseudo-terminal free; and what {@linkcode spawn} throws.
 * @throws {TypeError} If an argument has a wrong type, or an option is given that the terminal decides.
 * @throws {RangeError} If a number is out of range.
 *
 * @example A program that talks to a terminal
 * ```ts
 * import { spawnPty } from "@posix/process/exec";
 * import { assertEquals, assertMatch } from "@std/assert";
 *
 * const pty = spawnPty("sh", ["-c", "tty; test -t 0 && echo yes"]);
 * const [name, isTerminal] = (await pty.text()).split("\r\n");
 * assertMatch(name!, /^\/dev\/pts\/\d+$/);
 * assertEquals(isTerminal, "yes");
 * assertEquals((await pty.status).success, true);
 * ```
 *
 * @see {@link https://man7.org/linux/man-pages/man7/pty.7.html | pty(7)}
 */
export function spawnPty(
  file: string,
  args: readonly string[] = [],
  options: SpawnPtyOptions = {},
): PtyProcess {
  const { fds, launch, ending } = planOf(file, args, options);
  const { columns = 80, rows = 24, modes = (usual) => usual } = options;
  checkFunction(modes, "modes");
  ending.signal?.throwIfAborted();
  const pty = new PtyController({ columns, rows }, modes);
  let child: ChildParts;
  try {
    child = startChild(launch, new ChildFds(fds), pty.name);
  } catch (error) {
    pty.hangUp();
    throw error;
  } finally {
    pty.letGo();
  }
  return new PtyProcess(child, ending, pty);
}

/** What `spawn` would do, in a session of its own, with standard streams that are left to the terminal. */
function planOf(
  file: string,
  args: readonly string[],
  options: SpawnPtyOptions,
): SpawnPlan {
  checkObject(options, "options");
  for (const name of DECIDED) {
    const value = (options as SpawnOptions)[name];
    if (value === undefined) continue;
    throw new TypeError(
      `'${name}' must not be given, as the terminal decides it: current value is ${
        describe(value)
      }`,
    );
  }
  const plan = spawnPlan(file, args, {
    ...options,
    resetSignals: options.resetSignals ?? true,
  });
  return {
    ...plan,
    fds: plan.fds.filter(([target]) => target > STDERR),
    launch: { ...plan.launch, newSession: true },
  };
}
