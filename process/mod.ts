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

export * from "./_exit.ts";
export * from "./alarm.ts";
export * from "./chdir.ts";
export {
  type ChildOutput,
  ChildProcess,
  type ChildStatus,
} from "./child_process.ts";
export * from "./daemonize.ts";
export { fork } from "./fork.ts";
export * from "./fork_child.ts";
export * from "./fork_server.ts";
export * from "./forkpty.ts";
export type * from "./fork_options.ts";
export * from "./on_fork.ts";
export * from "./getpgid.ts";
export * from "./getpgrp.ts";
export * from "./getpid.ts";
export * from "./getppid.ts";
export * from "./getrlimit.ts";
export * from "./getsid.ts";
export * from "./inherit_connections.ts";
export * from "./intervals.ts";
export * from "./kill.ts";
export * from "./kill_tree.ts";
export * from "./killpg.ts";
export * from "./list_processes.ts";
export * from "./list_threads.ts";
export * from "./nice.ts";
export * from "./pause.ts";
export * from "./pool.ts";
export * from "./pool_worker_error.ts";
export * from "./process_tree.ts";
export * from "./sched_affinity.ts";
export * from "./set_child_subreaper.ts";
export * from "./set_name.ts";
export * from "./set_parent_death_signal.ts";
export * from "./set_signal.ts";
export * from "./setitimer.ts";
export * from "./setpgid.ts";
export * from "./setrlimit.ts";
export * from "./setsid.ts";
export * from "./signal_name.ts";
export * from "./signal_stream.ts";
export * from "./signals.ts";
export * from "./sigpending.ts";
export * from "./sigprocmask.ts";
export * from "./sigqueue.ts";
export * from "./sigwait.ts";
export * from "./strsignal.ts";
export * from "./tcgetpgrp.ts";
export * from "./tcsetpgrp.ts";
export * from "./umask.ts";
export type { WindowSize } from "../ipc/tcgetwinsize.ts";
export type { Rusage } from "../wait/types.ts";
