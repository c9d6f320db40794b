import { checkInteger } from "../ffi/_arguments.ts";
import { ERRNO } from "../ffi/errno.ts";
import { PosixError } from "../ffi/posix_error.ts";
import { SIGNAL_NUMBERS, signalNumber } from "../ffi/_signals.ts";
import { FrozenTree } from "./_frozen_tree.ts";
import { getpid } from "./getpid.ts";
import { getppid } from "./getppid.ts";
import { readStat } from "./_proc_stat.ts";
import type { Signal } from "./signals.ts";

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
