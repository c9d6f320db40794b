import { _SC_CLK_TCK } from "../ffi/constants.ts";
import { checkInteger } from "../ffi/_arguments.ts";
import { ERRNO } from "../ffi/errno.ts";
import { errorFor } from "../ffi/_results.ts";
import { accountingSymbols } from "../ffi/_symbols.ts";
import { listTids, readStat } from "./_proc_stat.ts";

/** One thread of a process, as it was when it was looked at. */
export interface ThreadInfo {
  /** Its id; that of the main thread is the pid. */
  tid: number;
  /** Its name: at most 15 bytes. */
  name: string;
  /** Its state, as a letter like that of a `ProcessInfo`. */
  state: string;
  /** Its CPU time, user and system, in seconds; to 10 ms. */
  cpuTime: number;
}

/**
 * `ps -L -p`: the threads of a process, read from `/proc`.
 *
 * @param pid The process.
 * @returns Its threads in the order of their making, the main one first.
 * @throws {PosixError} `ESRCH` if there is no such process; `EMFILE` if there is no descriptor left.
 * @throws {RangeError} If `pid` is no 32-bit integer of 1 or more.
 *
 * @example What a Deno process is made of
 * ```ts
 * import { getpid, listThreads } from "@posix/process/process";
 * import { assert } from "@std/assert";
 *
 * const threads = listThreads(getpid());
 * assert(threads.some(({ tid }) => tid === getpid())); // the main thread
 * ```
 *
 * @see {@link https://man7.org/linux/man-pages/man5/proc_pid_task.5.html | proc_pid_task(5)}
 */
export function listThreads(pid: number): ThreadInfo[] {
  checkInteger(pid, "pid", 1);
  const hertz = Number(accountingSymbols().sysconf(_SC_CLK_TCK));
  const threads: ThreadInfo[] = [];
  for (const tid of listTids(pid)) {
    const stat = readStat(pid, `task/${tid}/stat`);
    if (stat === undefined) continue;
    const { name, state, cpuTicks } = stat;
    threads.push({ tid, name, state, cpuTime: cpuTicks / hertz });
  }
  if (threads.length > 0) return threads;
  throw errorFor(
    ERRNO.ESRCH,
    "open",
    () => `Cannot list the threads of process ${pid}`,
    `/proc/${pid}/task`,
  );
}
