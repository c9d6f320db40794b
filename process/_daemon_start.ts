import { O_APPEND, O_CLOEXEC, O_CREAT, O_WRONLY } from "../ffi/constants.ts";
import { ERRNO } from "../ffi/errno.ts";
import { PosixError } from "../ffi/posix_error.ts";
import { close } from "../ipc/close.ts";
import { open } from "../ipc/open.ts";
import { poll } from "../ipc/poll.ts";
import { writeAll } from "../ipc/write_all.ts";
import { waitpid } from "../wait/waitpid.ts";
import { _exit } from "./_exit.ts";
import { chdir } from "./chdir.ts";
import { setUpChild } from "./_child_setup.ts";
import { ChildStdio } from "./_child_stdio.ts";
import { ClosedFds } from "./_closed_fds.ts";
import { DaemonVerdict, type Verdict } from "./_daemon_verdict.ts";
import { fork } from "./fork.ts";
import type { ForkPlan } from "./_fork_plan.ts";
import { getpid } from "./getpid.ts";
import { getppid } from "./getppid.ts";
import { killTree } from "./kill_tree.ts";
import { PidFile } from "./_pid_file.ts";
import { setsid } from "./setsid.ts";
import { umask } from "./umask.ts";

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
