import { ERRNO } from "../ffi/errno.ts";
import { PosixError } from "../ffi/posix_error.ts";
import { errorFor } from "../ffi/_results.ts";
import { listProc, readProc } from "./_fork/proc_file.ts";

/** What `/proc/<pid>/stat` says of a process, or of one of its threads. */
export interface ProcStat {
  /** Its name, as it was set. */
  readonly name: string;
  /** One letter, such as `"S"`. */
  readonly state: string;
  readonly ppid: number;
  readonly pgid: number;
  readonly sid: number;
  /** The device number of its controlling terminal; 0 for none. */
  readonly tty: number;
  /** User and system time, in clock ticks. */
  readonly cpuTicks: number;
  readonly threads: number;
  /** When it was started, in clock ticks since boot. */
  readonly startTicks: number;
  /** Resident memory, in pages. */
  readonly rssPages: number;
}

/** The process has ended, or it is not ours to see (where /proc is mounted with `hidepid`). */
const INVISIBLE: ReadonlySet<number> = new Set([
  ERRNO.ENOENT,
  ERRNO.ESRCH,
  ERRNO.EACCES,
  ERRNO.EPERM,
]);

/** The result of looking at a process; `undefined` where there is none to be seen, for it may end at any moment. */
function unlessInvisible<T>(look: () => T): T | undefined {
  try {
    return look();
  } catch (error) {
    if (error instanceof PosixError && INVISIBLE.has(error.errno)) {
      return undefined;
    }
    throw error;
  }
}

/** The pids of all processes, in ascending order. */
export function listPids(): number[] {
  const pids = listProc("/proc");
  if (pids.length > 0) return pids;
  const action = () => "Cannot list processes";
  throw errorFor(ERRNO.ENOENT, "open", action, "/proc/self");
}

/** The ids of a process's threads; none where it has ended. */
export function listTids(pid: number): number[] {
  return unlessInvisible(() => listProc(`/proc/${pid}/task`)) ?? [];
}

/** The text of a file of a process; empty where there is nothing to be seen. */
export function readProcessFile(pid: number, name: string): string {
  return unlessInvisible(() => readProc(`/proc/${pid}/${name}`)) ?? "";
}

/** What there is to know about a process, or about a thread by a name such as `task/7/stat`; `undefined` where it has ended. */
export function readStat(pid: number, name = "stat"): ProcStat | undefined {
  const text = readProcessFile(pid, name);
  return text === "" ? undefined : parseStat(text);
}

/** Takes the line apart. The name in parentheses may have anything in it, parentheses too, so the fields are counted from its end. */
export function parseStat(text: string): ProcStat {
  const nameEnd = text.lastIndexOf(")");
  const fields = text.slice(nameEnd + 2).split(" ");
  // By their numbers in proc_pid_stat(5), of which the state is the third.
  const field = (number: number) => Number(fields[number - 3]);
  return {
    name: text.slice(text.indexOf("(") + 1, nameEnd),
    state: fields[0]!,
    ppid: field(4),
    pgid: field(5),
    sid: field(6),
    tty: field(7),
    cpuTicks: field(14) + field(15),
    threads: field(20),
    startTicks: field(22),
    rssPages: field(24),
  };
}
