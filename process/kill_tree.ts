import { checkInteger } from "../ffi/_arguments.ts";
import { errorFor, readErrno } from "../ffi/_libc.ts";
import { SIGNAL_NUMBERS, signalNumber } from "../ffi/_signals.ts";
import {
  descriptorSymbols,
  forkSymbols,
  waitSymbols,
} from "../ffi/_symbols.ts";
import { SYS_pidfd_open } from "../ffi/constants.ts";
import { ERRNO, PosixError } from "../ffi/errors.ts";
import { signalByPidfd } from "../wait/wait_async.ts";
import { getpid, getppid } from "./ids.ts";
import {
  listPids,
  listTids,
  type ProcStat,
  readStat,
} from "./list_processes.ts";
import type { Signal } from "./signals.ts";

/** How long to wait for processes to stop. One that waits for something in the kernel does so only after that. */
const PATIENCE_MS = 100;
const PAUSE_MICROSECONDS = 50;

/** One process of the tree. While it is held by a descriptor, nobody who gets its pid can be taken for it. */
interface Member {
  readonly pid: number;
  readonly pidfd: number;
  /** Whether it had been stopped by somebody else before. */
  readonly wasStopped: boolean;
  /** Whether it may be signalled by us. */
  reachable: boolean;
}

/**
 * A process and all its descendants, stopped, so that none of them can make another while they are looked for.
 *
 * The calling process can be the root, but is neither stopped nor signalled.
 */
class FrozenTree implements Disposable {
  readonly #root: number;
  readonly #action: () => string;
  /** In the order in which they were found: parents before their children. */
  readonly #members = new Map<number, Member>();

  /** Stops the process and what descends from it; if that fails, everything goes on as before. */
  constructor(root: number, action: () => string) {
    this.#root = root;
    this.#action = action;
    try {
      let found = [this.#holdRoot()];
      while (found.length > 0) {
        for (const member of found) this.#stop(member);
        this.#awaitStopped(found);
        found = this.#findNew();
      }
    } catch (error) {
      for (const member of this.#childrenFirst()) {
        if (member.reachable && !member.wasStopped) {
          signalByPidfd(member.pidfd, SIGCONT);
        }
      }
      this[Symbol.dispose]();
      throw error;
    }
  }

  /** Sends them all a signal; gives the pids of those that have got it, parents before their children. */
  signal(signal: number): number[] {
    return this.#childrenFirst()
      .filter((member) =>
        member.reachable && !hasEnded(readStat(member.pid)) &&
        signalByPidfd(member.pidfd, signal) === 0
      )
      .map(({ pid }) => pid).reverse();
  }

  /** Lets them all go on. */
  resume(): void {
    for (const member of this.#childrenFirst()) {
      if (member.reachable) signalByPidfd(member.pidfd, SIGCONT);
    }
  }

  /** Lets go of them, as they are. */
  [Symbol.dispose](): void {
    for (const { pidfd } of this.#members.values()) {
      descriptorSymbols().close(pidfd);
    }
    this.#members.clear();
  }

  /**
   * Nobody may end while a descendant is stopped: where that leaves a process group without a parent in its session, the kernel
   * sends those of it that are stopped SIGHUP, and continues them.
   */
  #childrenFirst(): Member[] {
    return [...this.#members.values()].reverse();
  }

  #holdRoot(): Member {
    const member = this.#hold(this.#root);
    if (member !== undefined) return member;
    throw errorFor(ERRNO.ESRCH, "pidfd_open", this.#action);
  }

  /**
   * Opens a pidfd, and makes sure that it is the right one: if the process behind it is still there after its line in /proc was
   * read, that line was its own. So it is with the parent: if that is still there, it is the one that the line means.
   */
  #hold(pid: number, parent?: Member): Member | undefined {
    const { pidfd_open } = waitSymbols();
    const pidfd = pidfd_open(BigInt(SYS_pidfd_open), pid, 0);
    if (pidfd === -1) {
      const errno = readErrno();
      if (errno === ERRNO.ESRCH) return undefined;
      throw errorFor(errno, "pidfd_open", this.#action);
    }
    try {
      const member = this.#recognise(pid, pidfd, parent);
      if (member === undefined) descriptorSymbols().close(pidfd);
      else this.#members.set(pid, member);
      return member;
    } catch (error) {
      descriptorSymbols().close(pidfd);
      throw error;
    }
  }

  #recognise(pid: number, pidfd: number, parent?: Member): Member | undefined {
    const stat = readStat(pid);
    const reachable = pid !== getpid();
    const member = { pid, pidfd, wasStopped: isStopped(stat), reachable };
    if (stat === undefined || !this.#isThere(member)) return undefined;
    const isChild = parent === undefined ||
      stat.ppid === parent.pid && this.#isThere(parent);
    return isChild ? member : undefined;
  }

  #stop(member: Member): void {
    if (!member.reachable) return;
    const errno = signalByPidfd(member.pidfd, SIGSTOP);
    if (errno === 0) return;
    member.reachable = false;
    if (errno === ERRNO.ESRCH) return;
    // One below the root that is another user's is passed over; what descends from it may be ours again.
    if (errno === ERRNO.EPERM && member.pid !== this.#root) return;
    throw errorFor(errno, "pidfd_send_signal", this.#action);
  }

  /** Waits until they have stopped: a fork that was under way when the signal came is finished before that. */
  #awaitStopped(members: readonly Member[]): void {
    const deadline = performance.now() + PATIENCE_MS;
    for (const member of members) {
      while (member.reachable && !hasStopped(member.pid)) {
        if (performance.now() > deadline) return;
        forkSymbols().usleep(PAUSE_MICROSECONDS);
      }
    }
  }

  /** Adds those whose parent is a member, and theirs, as /proc has them now. */
  #findNew(): Member[] {
    const children = new Map<number, number[]>();
    const self = getpid();
    for (const pid of listPids()) {
      if (this.#members.has(pid) || pid === self) continue;
      const stat = readStat(pid);
      if (stat === undefined || hasEnded(stat)) continue;
      const siblings = children.get(stat.ppid);
      if (siblings === undefined) children.set(stat.ppid, [pid]);
      else siblings.push(pid);
    }
    const found: Member[] = [];
    // A map that grows while it is gone through is gone through to its new end.
    for (const parent of this.#members.values()) {
      for (const pid of children.get(parent.pid) ?? []) {
        const member = this.#hold(pid, parent);
        if (member !== undefined) found.push(member);
      }
    }
    return found;
  }

  #isThere(member: Member): boolean {
    return signalByPidfd(member.pidfd, 0) !== ERRNO.ESRCH;
  }
}

function isStopped(stat: ProcStat | undefined): boolean {
  return stat?.state === "T" || stat?.state === "t";
}

/** A zombie, or nothing at all; but a process whose first thread has ended before the others is alive. */
function hasEnded(stat: ProcStat | undefined): boolean {
  return stat === undefined ||
    (stat.state === "Z" || stat.state === "X") && stat.threads <= 1;
}

/** Whether each of its threads has stopped, or ended. */
function hasStopped(pid: number): boolean {
  const stat = readStat(pid);
  if (hasEnded(stat)) return true;
  if (stat!.threads === 1) return isStopped(stat);
  return listTids(pid).every((tid) => {
    const thread = readStat(pid, `task/${tid}/stat`);
    return thread === undefined || "TtZX".includes(thread.state);
  });
}

const { SIGCONT, SIGKILL, SIGSTOP, SIGTSTP, SIGTTIN, SIGTTOU } = SIGNAL_NUMBERS;

/** Signals after which nothing is to go on, or need be made to. */
const FINAL: ReadonlySet<number> = new Set([SIGKILL, SIGSTOP, SIGCONT]);

/** Signals that stop, unless they are caught; SIGCONT would take back one that has not been answered yet. */
const STOPPING: ReadonlySet<number> = new Set([SIGTSTP, SIGTTIN, SIGTTOU]);

/**
 * Sends a signal to a process and to all its descendants, without a race.
 *
 * All are stopped first (SIGSTOP), and looked for in `/proc` until no new one appears, so that none can escape by forking
 * meanwhile. Then each is sent the signal, and when all have got it, each is continued (SIGCONT), children before their parents,
 * those included that had been stopped before: a stopped process would not act on the signal. Each is held by a pidfd from the moment it was
 * found, so that the signal cannot hit a stranger who has got its pid. Blocks the thread, for some milliseconds.
 *
 * - **The caller** is never signalled: with its own pid, all its descendants are, and it is not.
 * - **Who is no descendant any more** is not found: a daemon whose parent has ended belongs to process 1, or to the nearest
 *   ancestor that is a subreaper. {@linkcode setChildSubreaper}, called before, makes such ones the caller's.
 * - **Who may not be signalled**, such as a set-user-ID program, is passed over, but not what descends from it. It is not
 *   in the result.
 * - **Who does not stop** within 100 ms, since the kernel does not let it (state `D`), is signalled like all the others; what it
 *   forks after that time is not found.
 * - Whoever waits for the processes with `WUNTRACED` may see them stop and go on. They are not reaped here.
 *
 * @param pid The root: a process that the caller is not a descendant of, or the caller itself.
 * @param signal Its name or number; SIGTERM by default. SIGSTOP leaves all stopped, and SIGCONT takes that back.
 * @returns The pids of those that were signalled, parents before their children; zombies are not among them.
 * @throws {PosixError} `ESRCH` if there is no process `pid`; `EPERM` if it may not be signalled by the caller (then nobody is);
 * `EINVAL` if the caller descends from it; `EMFILE` if the processes are more than there are descriptors left. All go on then.
 * @throws {TypeError} If there is no signal of that name; the message has the nearest one.
 * @throws {RangeError} If `pid` is no 32-bit integer of 2 or more: 0 and negative ones mean groups elsewhere, and 1 is the
 * whole system. If the number of the signal is no integer from 1 to 64.
 *
 * @example A shell and what it has started
 * ```ts
 * import { execl } from "@posix/process/exec";
 * import { fork, killTree } from "@posix/process/process";
 * import { waitpid } from "@posix/process/wait";
 * import { assert, assertEquals } from "@std/assert";
 *
 * const pid = fork();
 * if (pid === 0) execl("/bin/sh", "sh", "-c", "sleep 1000 & sleep 1000 & wait");
 * const killed = killTree(pid, "SIGKILL");
 * assertEquals(killed[0], pid);
 * assert(killed.length <= 3); // as far as the shell has come
 * assertEquals(waitpid(pid)?.raw, 9);
 * ```
 *
 * @see {@link https://man7.org/linux/man-pages/man2/pidfd_send_signal.2.html | pidfd_send_signal(2)}
 */
export function killTree(
  pid: number,
  signal: Signal | number = "SIGTERM",
): number[] {
  checkInteger(pid, "pid", 2);
  const number = signalNumber(signal);
  checkInteger(number, "signal", 1, 64);
  const action = () =>
    `Cannot send signal ${signal} to the tree of process ${pid}`;
  refuseAncestor(pid, action);
  using tree = new FrozenTree(pid, action);
  if (STOPPING.has(number)) tree.resume();
  const signalled = tree.signal(number);
  if (!FINAL.has(number) && !STOPPING.has(number)) tree.resume();
  return signalled;
}

/** A tree that the caller is part of, other than as its root, would have it stop its own parent, or be ended half way. */
function refuseAncestor(pid: number, action: () => string): void {
  if (pid === getpid()) return;
  for (let at = getppid(); at > 0; at = readStat(at)?.ppid ?? 0) {
    if (at !== pid) continue;
    throw new PosixError(action(), {
      errno: ERRNO.EINVAL,
      syscall: "kill",
      detail: "the caller descends from it",
    });
  }
}
