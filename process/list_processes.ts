import {
  _SC_CLK_TCK,
  _SC_PAGESIZE,
  CLOCK_BOOTTIME,
  CLOCK_REALTIME,
} from "../ffi/constants.ts";
import { accountingSymbols } from "../ffi/_symbols.ts";
import { readProc } from "./_fork/proc_file.ts";
import { ownerOf, userName } from "./_owners.ts";
import { listPids, readProcessFile, readStat } from "./_proc_stat.ts";

/** One process, as it was when it was looked at. */
export interface ProcessInfo {
  /** Its id. */
  pid: number;
  /** The id of its parent; 0 for process 1, the kernel's first thread, and for one whose parent is outside the pid namespace. */
  ppid: number;
  /** The id of its process group. */
  pgid: number;
  /** The id of its session. */
  sid: number;
  /** Its controlling terminal, below `/dev`, such as `"pts/3"`; `null` if it has none. */
  tty: string | null;
  /**
   * Its state, as a letter: `"R"` running, `"S"` sleeping, `"D"` in a wait that no signal ends, `"T"` stopped by a signal, `"t"`
   * stopped by a tracer, `"Z"` a zombie, `"I"` an idle thread of the kernel's, `"X"` dead.
   */
  state: string;
  /** Its name: at most 15 bytes, those of the program's file at first. May have spaces, parentheses and newlines in it. */
  name: string;
  /** Its command line, program included; empty for zombies and the kernel's threads. A process can overwrite it. */
  command: string[];
  /** The id of its effective user. */
  uid: number;
  /** The name of that user; the id in digits where there is none. */
  user: string;
  /** When it was started, to 10 ms; by the clock of today, so that it moves when that is set. */
  startTime: Date;
  /** The CPU time of all its threads, user and system, in seconds; to 10 ms. */
  cpuTime: number;
  /** Its resident memory in KiB, shared pages included. */
  rss: number;
  /** How many threads it has. */
  threads: number;
}

/**
 * `ps -e`: all processes that the caller can see, read from `/proc`.
 *
 * Processes come and go meanwhile: what is given existed when it was looked at, and one that vanishes while it is read is
 * left out. Where `/proc` is mounted with `hidepid`, other users' processes are left out too. Costs about 20 µs a process. The
 * users' names come from where the system has them, which may be the network; each is asked for once a call.
 *
 * @returns The processes, in ascending order of their pids.
 * @throws {PosixError} `EMFILE` if there is no descriptor left; `ENOENT` where `/proc` is not mounted.
 *
 * @example The five that take the most memory
 * ```ts
 * import { listProcesses } from "@posix/process/process";
 * import { assert } from "@std/assert";
 *
 * const largest = listProcesses().sort((a, b) => b.rss - a.rss).slice(0, 5);
 * assert(largest.every(({ pid, rss }) => pid > 0 && rss >= 0));
 * ```
 *
 * @see {@link https://man7.org/linux/man-pages/man5/proc_pid_stat.5.html | proc_pid_stat(5)}
 */
export function listProcesses(): ProcessInfo[] {
  const units = readUnits();
  const nameOf = remembered(userName);
  const ttyOf = remembered(terminalName);
  const processes: ProcessInfo[] = [];
  for (const pid of listPids()) {
    const stat = readStat(pid);
    const uid = ownerOf(pid);
    if (stat === undefined || uid === undefined) continue;
    const { name, state, ppid, pgid, sid, threads } = stat;
    processes.push({
      pid,
      ppid,
      pgid,
      sid,
      tty: stat.tty === 0 ? null : ttyOf(stat.tty),
      state,
      name,
      command: commandOf(pid),
      uid,
      user: nameOf(uid),
      startTime: new Date(
        units.bootTime + stat.startTicks * 1000 / units.hertz,
      ),
      cpuTime: stat.cpuTicks / units.hertz,
      rss: stat.rssPages * units.pageSize / 1024,
      threads,
    });
  }
  return processes;
}

/** The command line: each argument ends with a NUL, but for the last of one that was overwritten. */
function commandOf(pid: number): string[] {
  const text = readProcessFile(pid, "cmdline");
  return text === "" ? [] : text.replace(/\0$/, "").split("\0");
}

/** What the figures of /proc are counted in, and from. */
function readUnits(): { hertz: number; pageSize: number; bootTime: number } {
  const { sysconf } = accountingSymbols();
  return {
    hertz: Number(sysconf(_SC_CLK_TCK)),
    pageSize: Number(sysconf(_SC_PAGESIZE)),
    bootTime: Math.round(
      milliseconds(CLOCK_REALTIME) - milliseconds(CLOCK_BOOTTIME),
    ),
  };
}

function milliseconds(clock: number): number {
  const timespec = new BigInt64Array(2);
  accountingSymbols().clock_gettime(clock, timespec);
  return Number(timespec[0]) * 1e3 + Number(timespec[1]) / 1e6;
}

function remembered<K, V>(compute: (key: K) => V): (key: K) => V {
  const known = new Map<K, V>();
  return (key) => {
    if (!known.has(key)) known.set(key, compute(key));
    return known.get(key)!;
  };
}

/** The major numbers of the terminals of `/dev/pts`, 256 each where their minor numbers have only eight bits. */
const PTS_FIRST = 136;
const PTS_LAST = 143;

/** The name of a terminal by its device number, in which the kernel has the minor number's low byte last. */
function terminalName(device: number): string {
  const major = device >> 8 & 0xfff;
  const minor = device & 0xff | device >> 12 & 0xfff00;
  if (major >= PTS_FIRST && major <= PTS_LAST) {
    return `pts/${(major - PTS_FIRST) * 256 + minor}`;
  }
  const event = readProc(`/sys/dev/char/${major}:${minor}/uevent`);
  return /^DEVNAME=(.+)$/m.exec(event)?.[1] ?? `${major}:${minor}`;
}
