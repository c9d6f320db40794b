import { cString } from "../ffi/_arguments.ts";
import { accountingSymbols } from "../ffi/_symbols.ts";
import {
  AT_EMPTY_PATH,
  AT_FDCWD,
  LOCK_EX,
  LOCK_NB,
  O_APPEND,
  O_CLOEXEC,
  O_CREAT,
  O_RDWR,
  O_TRUNC,
  O_WRONLY,
  POLLIN,
  STATX_INO,
} from "../ffi/constants.ts";
import { ERRNO, PosixError } from "../ffi/errors.ts";
import { STATX } from "../ffi/layouts.ts";
import { close, open } from "../ipc/descriptors.ts";
import { flock } from "../ipc/flock.ts";
import { pipe, unlink } from "../ipc/pipes.ts";
import { poll } from "../ipc/poll.ts";
import { read, readAll, writeAll } from "../ipc/read_write.ts";
import { waitpid } from "../wait/wait.ts";
import { ChildStdio, ClosedFds } from "./_child_fds.ts";
import { _exit } from "./_exit.ts";
import { readDescriptorLink } from "./_fork/proc_file.ts";
import { type ForkPlan, setUpChild } from "./_planned_fork.ts";
import { chdir, umask } from "./attributes.ts";
import { fork } from "./fork.ts";
import { getpid, getppid, setsid } from "./ids.ts";
import { killTree } from "./kill_tree.ts";

const MODE = 0o644;

/** How often to open it anew where one who leaves has just removed it. */
const ATTEMPTS = 100;

/**
 * A file with the pid of the one process that may have it: locked as long as that lives, whatever the file says.
 *
 * The lock goes over to forked children, and ends with the last of the processes that have it. So a file that a killed process has
 * left behind is no obstacle, and who finds it locked knows that its owner is alive.
 */
class PidFile {
  /** Its descriptor, which holds the lock. */
  readonly fd: number;
  /** Absolute, since the working directory is about to change. */
  readonly #path: string;

  /** Opens and locks it; it still says what it said before. */
  constructor(path: string) {
    this.fd = openLocked(path);
    this.#path = readDescriptorLink(this.fd);
  }

  /** Puts a pid into it. */
  write(pid: number): void {
    const fd = open(this.#path, O_RDWR | O_TRUNC | O_CLOEXEC);
    try {
      writeAll(fd, `${pid}\n`);
    } finally {
      close(fd);
    }
  }

  /** Removes it, if it is still there. The lock has to be held: another's must not be removed. */
  remove(): void {
    if (isAt(this.#path, this.fd)) unlink(this.#path);
  }

  /** Lets go of it. */
  close(): void {
    close(this.fd);
  }
}

function openLocked(path: string): number {
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    const fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, MODE);
    try {
      flock(fd, LOCK_EX | LOCK_NB);
      // Its former owner may have removed it between the two calls, and then the lock is one of a file without a name.
      if (isAt(path, fd)) return fd;
    } catch (error) {
      const text = new TextDecoder().decode(readAll(fd)).trim();
      close(fd);
      throw isHeld(error) ? runsAlready(path, text) : error;
    }
    close(fd);
  }
  throw runsAlready(path, "");
}

function isHeld(error: unknown): boolean {
  return error instanceof PosixError && error.errno === ERRNO.EAGAIN;
}

function runsAlready(path: string, pid: string): PosixError {
  const whose = /^\d+$/.test(pid) ? `process ${pid}` : "another process";
  return new PosixError(`Cannot lock pid file ${JSON.stringify(path)}`, {
    errno: ERRNO.EAGAIN,
    syscall: "flock",
    path,
    detail: `${whose} has it, and so the daemon is running already`,
  });
}

/** Whether a path still leads to an open file. */
function isAt(path: string, fd: number): boolean {
  const inode = inodeOf(AT_FDCWD, path, 0);
  return inode !== -1n && inode === inodeOf(fd, "", AT_EMPTY_PATH);
}

function inodeOf(fd: number, path: string, flags: number): bigint {
  const statx = new DataView(new ArrayBuffer(STATX.size));
  const result = accountingSymbols()
    .statx(fd, cString(path, "path"), flags, STATX_INO, statx);
  return result === 0 ? statx.getBigUint64(STATX.fields.stx_ino, true) : -1n;
}

/** What a daemon tells the process that has started it: a line of JSON each. */
type Message = { pid: number } | { ready: true } | { failure: string };

/** How the start of a daemon has ended, as far as its starter can tell. */
type Verdict =
  | { readonly kind: "ready" }
  | { readonly kind: "failed"; readonly reason: string }
  /** Without a word. */
  | { readonly kind: "ended" }
  | { readonly kind: "late"; readonly pid: number };

const CHUNK = 65_536;

/** The pipe on which a daemon says that it is up, or why it is not. It ends by itself with the last process that has it. */
class DaemonVerdict {
  readonly #reader: number;
  /** The daemon's end. */
  readonly writer: number;

  constructor() {
    [this.#reader, this.writer] = pipe();
  }

  /**
   * In the starter: waits for what is said, for a limited time from the moment that there is a daemon: forks have limits of
   * their own. Blocks the thread.
   */
  await(milliseconds: number): Verdict {
    close(this.writer);
    let deadline = Infinity;
    const decoder = new TextDecoder();
    let text = "";
    let pid: number | undefined;
    for (;;) {
      const lines = text.split("\n");
      text = lines.pop()!;
      for (const line of lines) {
        const message: Message = JSON.parse(line);
        if ("pid" in message) {
          pid = message.pid;
          deadline = performance.now() + milliseconds;
        } else if ("ready" in message) return { kind: "ready" };
        else return { kind: "failed", reason: message.failure };
      }
      const left = Math.max(0, Math.ceil(deadline - performance.now()));
      const timeout = left === Infinity ? -1 : Math.min(left, 0x7fff_ffff);
      const events = poll([{ fd: this.#reader, events: POLLIN }], timeout);
      if (events.length === 0) {
        if (pid === undefined || performance.now() < deadline) continue;
        return { kind: "late", pid };
      }
      const bytes = read(this.#reader, CHUNK);
      if (bytes.length === 0) return { kind: "ended" };
      text += decoder.decode(bytes, { stream: true });
    }
  }

  /** In the daemon: keeps only its own end. */
  keepWriter(): void {
    close(this.#reader);
  }

  /** In the daemon: says something. That nobody listens any more is no reason not to go on. */
  tell(message: Message): void {
    try {
      writeAll(this.writer, `${JSON.stringify(message)}\n`);
    } catch {
      // The starter was killed meanwhile.
    }
  }

  /** Closes both ends, where there is no daemon. */
  close(): void {
    close(this.#reader);
    close(this.writer);
  }
}

const LOG_MODE = 0o640;

/** How long to wait at most for a process that has nothing left to do but to end. */
const ORPHANAGE_MS = 1000;

/** What is asked of a daemon, checked. */
export interface DaemonPlan {
  readonly cwd: string;
  readonly umask: number;
  readonly log: string | undefined;
  readonly pidFile: string | undefined;
  readonly timeout: number;
  /** The rest, as of any forked child. */
  readonly child: ForkPlan;
}

/**
 * The start of a daemon: what is opened before the fork, where a failure is an exception and nothing more, and then what the
 * starter, the process in the middle and the daemon do.
 */
export class DaemonStart {
  readonly #plan: DaemonPlan;
  readonly #opened: { close(): void }[] = [];
  #log: number | undefined;
  readonly #pidFile: PidFile | undefined;
  readonly #stdio: ChildStdio;
  readonly #verdict: DaemonVerdict;
  readonly #closed: ClosedFds | undefined;

  constructor(plan: DaemonPlan) {
    this.#plan = plan;
    try {
      const { pidFile, log, child } = plan;
      this.#pidFile = pidFile === undefined
        ? undefined
        : this.#own(new PidFile(pidFile));
      this.#stdio = this.#own(
        new ChildStdio(["null", ...this.#openLog(log)]),
      );
      this.#verdict = this.#own(new DaemonVerdict());
      this.#closed = child.keptFds && new ClosedFds([
        ...child.keptFds,
        ...this.#stdio.copies.values(),
        this.#verdict.writer,
        ...this.#pidFile === undefined ? [] : [this.#pidFile.fd],
      ]);
    } catch (error) {
      this.abandon();
      throw error;
    }
  }

  /** Where there is no daemon: closes all that was opened. */
  abandon(): void {
    for (const opened of this.#opened.toReversed()) opened.close();
  }

  /** In the starter: waits until the daemon is up, or is not, and ends. */
  attend(middle: number): never {
    const verdict = this.#verdict.await(this.#plan.timeout);
    if (verdict.kind === "ready") _exit(0);
    const reason = this.#explain(verdict);
    this.#pidFile?.remove();
    waitpid(middle);
    try {
      writeAll(2, `Cannot start the daemon: ${reason}\n`);
    } catch {
      // Nobody reads it; the exit code remains.
    }
    _exit(1);
  }

  #explain(verdict: Exclude<Verdict, { kind: "ready" }>): string {
    const { log, timeout } = this.#plan;
    switch (verdict.kind) {
      case "failed":
        return verdict.reason;
      case "late":
        // The pid is its own, as it has its end of the pipe.
        return `it was not ready within ${timeout} ms${endTree(verdict.pid)}`;
      case "ended":
        return `it has ended before it was ready${
          log === undefined ? "" : `, its log is ${log}`
        }`;
    }
  }

  /** In the child: becomes the daemon, or ends. */
  become(): void {
    const { cwd, umask: mask, child } = this.#plan;
    try {
      setsid();
      const middle = getpid();
      // Who leads no session gets no controlling terminal, whatever terminals it opens.
      if (fork() !== 0) _exit(0);
      this.#verdict.keepWriter();
      this.#verdict.tell({ pid: getpid() });
      umask(mask);
      chdir(cwd);
      this.#pidFile?.write(getpid());
      setUpChild(child, this.#stdio, this.#closed, 0);
      if (this.#log !== undefined) close(this.#log);
      awaitOrphanage(middle);
    } catch (error) {
      this.fail(error);
    }
    this.#removePidFileAtEnd();
  }

  /** In the daemon: it is up, and its starter may end. */
  succeed(): void {
    this.#verdict.tell({ ready: true });
    close(this.#verdict.writer);
  }

  /** In the daemon, or on the way to it: it is not, and ends. */
  fail(error: unknown): never {
    this.explain(error);
    _exit(1);
  }

  /** In the daemon: says why it is about to end. */
  explain(error: unknown): void {
    const failure = error instanceof Error ? error.message : String(error);
    this.#verdict.tell({ failure });
  }

  #removePidFileAtEnd(): void {
    const owner = getpid();
    addEventListener("unload", () => {
      // A child that it has forked has inherited the listener, but not the file.
      if (getpid() === owner) this.#pidFile?.remove();
    });
  }

  #openLog(path: string | undefined): ["null", "null"] | [number, number] {
    if (path === undefined) return ["null", "null"];
    const flags = O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC;
    const fd = open(path, flags, LOG_MODE);
    this.#own({ close: () => close(fd) });
    this.#log = fd;
    return [fd, fd];
  }

  #own<T extends { close(): void }>(opened: T): T {
    this.#opened.push(opened);
    return opened;
  }
}

/** Waits until the process in the middle has ended, so that `getppid` tells for good who the parent is. */
function awaitOrphanage(parent: number): void {
  for (let i = 0; i < ORPHANAGE_MS && getppid() === parent; i++) poll([], 1);
}

/** Kills a daemon with all that it has started; gives what to say of it. */
function endTree(pid: number): string {
  try {
    killTree(pid, "SIGKILL");
    return ", and was killed";
  } catch (error) {
    return error instanceof PosixError && error.errno === ERRNO.ESRCH
      ? ""
      : `, and goes on: ${error instanceof Error ? error.message : error}`;
  }
}
