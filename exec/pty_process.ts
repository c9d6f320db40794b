import { tcsetwinsize } from "../ipc/tcsetwinsize.ts";
import type { WindowSize } from "../ipc/tcgetwinsize.ts";
import { ChildParts } from "../process/_child_parts.ts";
import { ChildProcess } from "../process/child_process.ts";
import type { EndingPlan } from "../process/_supervision.ts";
import type { PtyController } from "./_pty_controller.ts";

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
