/**
 * Processes: making them, telling them apart, grouping them, signalling them, limiting them.
 *
 * The calls have their POSIX names, arguments and blocking behaviour. A pid is a number, a failed call throws a `PosixError`, and
 * what C returns through a pointer is returned here.
 *
 * | to | there is |
 * |---|---|
 * | make a process, end one | {@linkcode fork}, {@linkcode _exit} |
 * | make one in a terminal of its own | {@linkcode forkpty} |
 * | run a function in a process | {@linkcode forkChild}, which gives a {@linkcode ChildProcess} |
 * | run a function in many, one for each CPU | {@linkcode Pool} |
 * | fork from a small process, though this one has grown | {@linkcode forkServer} |
 * | have a say in every fork | {@linkcode onFork}, {@linkcode inheritConnections} |
 * | go on in the background | {@linkcode daemonize} |
 * | tell processes apart | {@linkcode getpid}, {@linkcode getppid} |
 * | group them | {@linkcode getpgrp}, {@linkcode getpgid}, {@linkcode setpgid}, {@linkcode getsid}, {@linkcode setsid} |
 * | signal them | {@linkcode kill}, {@linkcode killpg}, {@linkcode SIGNALS}, {@linkcode signalName}, {@linkcode strsignal} |
 * | wait for signals, hold them back | {@linkcode signals}, {@linkcode sigwait}, {@linkcode pause}, {@linkcode sigprocmask}, {@linkcode sigpending}, {@linkcode setSignal}, {@linkcode sigqueue} |
 * | do something in time | {@linkcode alarm}, {@linkcode setitimer}, {@linkcode getitimer}, {@linkcode intervals} |
 * | signal a whole tree | {@linkcode killTree}, {@linkcode setParentDeathSignal}, {@linkcode setChildSubreaper} |
 * | see them all | {@linkcode listProcesses}, {@linkcode processTree}, {@linkcode listThreads} |
 * | name them, share the CPUs out | {@linkcode getName}, {@linkcode setName}, {@linkcode nice}, {@linkcode schedGetaffinity}, {@linkcode schedSetaffinity} |
 * | say who has the terminal | {@linkcode tcgetpgrp}, {@linkcode tcsetpgrp} |
 * | see to what they carry | {@linkcode umask}, {@linkcode chdir}, {@linkcode getrlimit}, {@linkcode setrlimit} |
 *
 * @example A child, its signal and its end
 * ```ts
 * import { fork, kill, strsignal } from "@posix/process/process";
 * import { waitpid, WTERMSIG } from "@posix/process/wait";
 * import { assertEquals } from "@std/assert";
 *
 * const pid = fork();
 * if (pid === 0) for (;;); // until the signal comes
 * kill(pid, "SIGKILL");
 * assertEquals(strsignal(WTERMSIG(waitpid(pid)!.raw)), "Killed");
 * ```
 *
 * @module
 */

export type { WindowSize } from "../ipc/terminals.ts";
export type { Rusage } from "../wait/types.ts";
export { _exit } from "./_exit.ts";
export { PoolWorkerError } from "./_portable_error.ts";
export type { SignalInfo } from "./_signals/actions.ts";
export {
  chdir,
  getName,
  nice,
  schedGetaffinity,
  schedSetaffinity,
  setChildSubreaper,
  setName,
  setParentDeathSignal,
  umask,
} from "./attributes.ts";
export {
  type ChildOutput,
  ChildProcess,
  type ChildStatus,
} from "./child_process.ts";
export { daemonize, type DaemonOptions } from "./daemonize.ts";
export { fork, type ForkHooks, inheritConnections, onFork } from "./fork.ts";
export { forkChild, type ForkedPty, forkpty } from "./fork_child.ts";
export type { ForkOptions, StandardStream } from "./fork_options.ts";
export { ForkServer, forkServer } from "./fork_server.ts";
export {
  getpgid,
  getpgrp,
  getpid,
  getppid,
  getsid,
  setpgid,
  setsid,
  tcgetpgrp,
  tcsetpgrp,
} from "./ids.ts";
export { kill, killpg, sigqueue } from "./kill.ts";
export { killTree } from "./kill_tree.ts";
export {
  getrlimit,
  type Resource,
  type ResourceLimit,
  setrlimit,
} from "./limits.ts";
export {
  listProcesses,
  listThreads,
  type ProcessInfo,
  type ProcessNode,
  processTree,
  type ThreadInfo,
} from "./list_processes.ts";
export {
  Pool,
  type PoolCallOptions,
  type PoolItems,
  type PoolOptions,
  type PoolProgress,
} from "./pool.ts";
export { type Disposition, setSignal } from "./set_signal.ts";
export {
  pause,
  sigpending,
  sigprocmask,
  type SigprocmaskHow,
  sigwait,
  type SigwaitOptions,
} from "./signal_mask.ts";
export {
  signals,
  type SignalsOptions,
  type SignalStream,
} from "./signal_stream.ts";
export { type Signal, signalName, SIGNALS, strsignal } from "./signals.ts";
export {
  alarm,
  getitimer,
  intervals,
  type IntervalsOptions,
  type IntervalStream,
  type IntervalTimer,
  type IntervalTimerValue,
  setitimer,
} from "./timers.ts";
