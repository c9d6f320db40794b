import { O_CLOEXEC } from "../ffi/constants.ts";
import { checkZero } from "../ffi/_results.ts";
import { descriptorSymbols } from "../ffi/_symbols.ts";
import { TIOCSCTTY } from "../ffi/terminal_constants.ts";
import { close } from "../ipc/close.ts";
import { dup2 } from "../ipc/dup2.ts";
import { dup3 } from "../ipc/dup3.ts";
import { openpty, type Pty } from "../ipc/openpty.ts";
import type { WindowSize } from "../ipc/tcgetwinsize.ts";
import { _exit } from "./_exit.ts";
import { fork } from "./fork.ts";
import { setsid } from "./setsid.ts";
import { standardCopies } from "./_standard_copies.ts";

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
