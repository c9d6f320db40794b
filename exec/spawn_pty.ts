import { checkFunction, checkObject, describe } from "../ffi/_arguments.ts";
import { errorFor } from "../ffi/_libc.ts";
import { POLLHUP, POLLIN } from "../ffi/constants.ts";
import { ERRNO } from "../ffi/errors.ts";
import { close, dup } from "../ipc/descriptors.ts";
import { poll } from "../ipc/poll.ts";
import {
  openReadable,
  openWritable,
  type StreamHandle,
} from "../ipc/streams.ts";
import { openpty, tcsetwinsize, type WindowSize } from "../ipc/terminals.ts";
import { tcgetattr, tcsetattr, type Termios } from "../ipc/termios.ts";
import { ChildFds } from "../process/_child_fds.ts";
import {
  ChildParts,
  ChildProcess,
  type EndingPlan,
} from "../process/child_process.ts";
import { startChild } from "./_start_child.ts";
import { type SpawnPlan, spawnPlan } from "./spawn.ts";
import type { SpawnOptions } from "./spawn_options.ts";

/**
 * The controller of a program's pseudo-terminal: one open file under two descriptors, one for each stream.
 *
 * The terminal is hung up when both are closed. Whoever closes the one that is read is done with the terminal.
 */
class PtyController {
  /** The terminal's name. */
  readonly name: string;
  /** What the program puts on the screen. */
  readonly readable: StreamHandle<ReadableStream<Uint8Array<ArrayBuffer>>>;
  /** What is typed. */
  readonly writable: StreamHandle<WritableStream<Uint8Array>>;
  readonly #descriptor: number;
  #terminal: number | undefined;

  /** Opens it; what fails here leaves nothing open. */
  constructor(size: WindowSize, modes: (modes: Termios) => Termios) {
    const { controller, terminal, name } = openpty(size);
    let copy: number | undefined;
    try {
      tcsetattr(terminal, "now", modes(tcgetattr(terminal)));
      copy = dup(controller);
      this.readable = openReadable(controller);
      this.writable = openWritable(copy);
    } catch (error) {
      for (const fd of [controller, terminal, copy]) {
        if (fd !== undefined) close(fd);
      }
      throw error;
    }
    this.name = name;
    this.#descriptor = controller;
    this.#terminal = terminal;
    this.readable.descriptor.keepFromChildren();
    this.writable.descriptor.keepFromChildren();
  }

  /** The descriptor, for calls that neither read nor write nor close it. */
  get descriptor(): number {
    if (!this.readable.descriptor.ended) return this.#descriptor;
    throw errorFor(
      ERRNO.EBADF,
      "ioctl",
      () => `Cannot use terminal ${this.name}, which is closed`,
    );
  }

  /** Once the program has the terminal open: lets go of it here, so that it ends with those who have it open there. */
  letGo(): void {
    if (this.#terminal !== undefined) close(this.#terminal);
    this.#terminal = undefined;
  }

  /**
   * Has the writing end closed when the reading end is.
   *
   * Not before the program has ended, though, where the output is over because nobody has the terminal open any more: many a
   * program closes its standard streams and then exits, and must not be overtaken by the SIGHUP that hanging up would send.
   */
  bind(ended: Promise<unknown>): void {
    const { descriptor } = this.readable;
    const { onClosed } = descriptor;
    const close = () => void this.writable.end().catch(() => {});
    descriptor.onClosed = () => {
      if (this.#isDeserted()) ended.then(close, close);
      else close();
      onClosed?.();
    };
  }

  /** Whether nobody has the terminal open. */
  #isDeserted(): boolean {
    const { fd, ended } = this.writable.descriptor;
    if (ended) return false;
    const [ready] = poll([{ fd, events: POLLIN }], 0);
    return ready !== undefined && (ready.revents & POLLHUP) !== 0;
  }

  /** Hangs the terminal up. Twice without harm. */
  async hangUp(): Promise<void> {
    await Promise.all([this.writable.end(), this.readable.end()]);
  }
}

/**
 * A program in a pseudo-terminal of its own, as {@linkcode spawnPty} gives it: a {@linkcode ChildProcess}, and its terminal.
 *
 * Standard output and error are one stream, as on any terminal; `stdout` and `stdin` are other names of
 * {@linkcode PtyProcess.prototype.readable | PtyProcess.readable} and
 * {@linkcode PtyProcess.prototype.writable | PtyProcess.writable}.
 *
 * @example A terminal that grows
 * ```ts
 * import { spawnPty } from "@posix/process/exec";
 * import { assertEquals } from "@std/assert";
 *
 * const pty = spawnPty("sh", ["-c", "read line; stty size"], { columns: 80, rows: 24 });
 * pty.resize({ columns: 100, rows: 50 });
 * const writer = pty.writable.getWriter();
 * await writer.write(new TextEncoder().encode("\r")); // Enter
 * assertEquals((await pty.text()).trim(), "50 100");
 * assertEquals((await pty.status).code, 0);
 * ```
 *
 * @see {@link https://man7.org/linux/man-pages/man7/pty.7.html | pty(7)}
 */
export class PtyProcess extends ChildProcess {
  readonly #controller: PtyController;

  /**
   * Not for users: {@linkcode spawnPty} makes them.
   *
   * @ignore
   */
  constructor(
    child: ChildParts,
    ending: EndingPlan,
    controller: PtyController,
  ) {
    if (!(child instanceof ChildParts)) {
      throw new TypeError("Illegal constructor");
    }
    const { pid, follower } = child;
    super(
      new ChildParts(pid, follower, {
        stdin: controller.writable,
        stdout: controller.readable,
        stderr: undefined,
      }),
      ending,
    );
    this.#controller = controller;
    controller.bind(follower.result);
  }

  /** The name of the terminal, such as `/dev/pts/3`. */
  get name(): string {
    return this.#controller.name;
  }

  /**
   * The descriptor of the terminal's controlling end, for `tcgetattr`, `tcsetattr`, `tcgetpgrp` and the like. It belongs to the
   * streams, so neither read nor write nor close it.
   *
   * @throws {PosixError} `EBADF` once {@linkcode PtyProcess.prototype.readable | PtyProcess.readable} has ended.
   */
  get controller(): number {
    return this.#controller.descriptor;
  }

  /**
   * What the program puts on the screen, the echo of what is typed included.
   *
   * It ends when everybody has closed the terminal: the program, and those of its children that still have it open; what was
   * printed before comes first. A child in the background may keep it open for longer than the program lives, and a program
   * that closes its terminal may live for longer than its output. When both are over, the terminal is closed. Cancelling
   * the stream closes it at once, and the program and the foreground group get SIGHUP.
   *
   * As long as nobody reads, some kilobytes are kept, and then the program is held back.
   */
  get readable(): ReadableStream<Uint8Array<ArrayBuffer>> {
    return this.stdout;
  }

  /**
   * What is written here is typed: `"\r"` is the Enter key, `"\x03"` Ctrl+C, `"\x04"` Ctrl+D.
   *
   * Closing it types nothing: a terminal has no end of input but Ctrl+D at the start of a line. If the program does not read
   * what is typed, up to 4,095 bytes of a line and some kilobytes in all are kept, and then the writer is held back; of a longer line
   * the rest is lost.
   */
  get writable(): WritableStream<Uint8Array> {
    return this.stdin;
  }

  /**
   * `ioctl(fd, TIOCSWINSZ, &size)`: tells the terminal, and so the program, the size of the window. If it has changed, the
   * foreground group gets SIGWINCH.
   *
   * @param size The size, in characters, and in pixels if they matter.
   * @throws {TypeError} If a number is none.
   * @throws {RangeError} If a number is out of range.
   * @throws {PosixError} `EBADF` once `readable` has ended.
   *
   * @example Telling the size
   * ```ts
   * import { spawnPty } from "@posix/process/exec";
   * import { tcgetwinsize } from "@posix/process/ipc";
   * import { assertEquals } from "@std/assert";
   *
   * await using pty = spawnPty("cat");
   * pty.resize({ columns: 132, rows: 43 });
   * assertEquals(tcgetwinsize(pty.controller).columns, 132);
   * ```
   *
   * @see {@link https://man7.org/linux/man-pages/man2/TIOCSWINSZ.2const.html | TIOCSWINSZ(2const)}
   */
  resize(size: WindowSize): void {
    tcsetwinsize(this.controller, size);
  }

  /**
   * Closes the terminal, so that the program and the foreground group get SIGHUP; ends the program with SIGTERM, and after the
   * time of grace with SIGKILL, and waits for its end. Twice without harm.
   */
  override async [Symbol.asyncDispose](): Promise<void> {
    // Many a shell ignores SIGTERM, but none that its terminal is gone.
    await this.#controller.hangUp();
    await super[Symbol.asyncDispose]();
  }
}

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
 * {@linkcode spawn}.
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
