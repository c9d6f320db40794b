import { addressOf, checkInteger, cString } from "../ffi/_arguments.ts";
import { errorFor } from "../ffi/_libc.ts";
import { accountingSymbols } from "../ffi/_symbols.ts";
import {
  _SC_CLK_TCK,
  _SC_PAGESIZE,
  AT_FDCWD,
  CLOCK_BOOTTIME,
  CLOCK_REALTIME,
  STATX_UID,
} from "../ffi/constants.ts";
import { ERRNO, PosixError } from "../ffi/errors.ts";
import { PASSWD, STATX } from "../ffi/layouts.ts";
import { listProc, readProc } from "./_fork/proc_file.ts";

const statx = new DataView(new ArrayBuffer(STATX.size));

/** The effective user of a process: the owner of its directory in /proc, which the kernel keeps so; `undefined` where it has ended. */
function ownerOf(pid: number): number | undefined {
  const path = cString(`/proc/${pid}`, "path");
  const result = accountingSymbols()
    .statx(AT_FDCWD, path, 0, STATX_UID, statx);
  return result === -1
    ? undefined
    : statx.getUint32(STATX.fields.stx_uid, true);
}

const STRINGS_SIZE = 1024;
const STRINGS_SIZE_MAX = 1_048_576;

/** The name of a user by way of `getpwuid_r(3)`, and so from wherever the system keeps its users; the number where it has no name. */
function userName(uid: number): string {
  const passwd = new DataView(new ArrayBuffer(PASSWD.size));
  const found = new BigUint64Array(1);
  const { getpwuid_r } = accountingSymbols();
  for (let size = STRINGS_SIZE; size <= STRINGS_SIZE_MAX; size *= 4) {
    // An `ArrayBuffer` of its own, which V8 never moves: what is found in it is told by addresses.
    const strings = new Uint8Array(new ArrayBuffer(size));
    const base = addressOf(strings.buffer);
    const errno = getpwuid_r(uid, passwd, strings, BigInt(size), found);
    if (errno === ERRNO.ERANGE) continue;
    if (errno !== 0 || found[0] === 0n) break;
    const address = passwd.getBigUint64(PASSWD.fields.pw_name, true);
    const start = Number(address - base);
    const end = strings.indexOf(0, start);
    return new TextDecoder().decode(strings.subarray(start, end));
  }
  return String(uid);
}

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
function readProcessFile(pid: number, name: string): string {
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

/** A process and what descends from it. */
export interface ProcessNode extends ProcessInfo {
  /** Its children, in ascending order of their pids. */
  children: ProcessNode[];
}

/**
 * `pstree -p`: a process and all its descendants, read from `/proc` like {@linkcode listProcesses}.
 *
 * The kernel gives no picture of a single moment: a process that was made while the others were read may be missing, and the
 * children of one that ended meanwhile are where they went, with process 1 or the nearest subreaper.
 *
 * @param pid The root; 1, the default, has everything below it but for the kernel's own threads, which descend from process 2.
 * @returns The root.
 * @throws {PosixError} `ESRCH` if there is no such process, or none that the caller can see.
 * @throws {RangeError} If `pid` is no 32-bit integer of 1 or more.
 *
 * @example Children of this program
 * ```ts
 * import { fork, getpid, kill, processTree } from "@posix/process/process";
 * import { waitpid } from "@posix/process/wait";
 * import { assertEquals } from "@std/assert";
 *
 * const pid = fork();
 * if (pid === 0) for (;;); // until the signal comes
 * const { children } = processTree(getpid());
 * assertEquals(children.map((child) => child.pid), [pid]);
 * kill(pid, "SIGKILL");
 * waitpid(pid);
 * ```
 *
 * @see {@link https://man7.org/linux/man-pages/man1/pstree.1.html | pstree(1)}
 */
export function processTree(pid = 1): ProcessNode {
  checkInteger(pid, "pid", 1);
  const nodes = new Map<number, ProcessNode>();
  for (const info of listProcesses()) {
    nodes.set(info.pid, { ...info, children: [] });
  }
  const root = nodes.get(pid);
  if (root === undefined) {
    throw errorFor(
      ERRNO.ESRCH,
      "open",
      () => `Cannot show the tree of process ${pid}`,
      `/proc/${pid}`,
    );
  }
  for (const node of nodes.values()) {
    // The parent may have ended after the node was read, or before it was read itself.
    if (!nodes.has(node.ppid)) node.ppid = readStat(node.pid)?.ppid ?? 0;
    // Whatever pids were used again meanwhile, the root is nobody's child: the tree must end.
    if (node !== root) nodes.get(node.ppid)?.children.push(node);
  }
  return root;
}
