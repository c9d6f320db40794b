/** How a child has changed state: the decoded form of a raw status word. */
export type WaitStatus =
  | {
    /** The child has ended by itself: it returned from its program, or called `exit` or `_exit`. */
    kind: "exited";
    /** The exit code, 0 to 255. */
    code: number;
  }
  | {
    /** The child was killed by a signal. */
    kind: "signaled";
    /** The signal, such as `"SIGKILL"`. */
    signal: string;
    /** Whether the kernel reports a core dump; it is no part of the signal's number. */
    coreDumped: boolean;
  }
  | {
    /** The child was stopped by a signal; reported with `WUNTRACED`, or for a traced child. */
    kind: "stopped";
    /** The signal, such as `"SIGSTOP"`. */
    signal: string;
  }
  | {
    /** The child was continued by SIGCONT; reported with `WCONTINUED`. */
    kind: "continued";
  };

/** A child and its new state. */
export type WaitResult = {
  /** The child's pid. */
  pid: number;
  /** The status word as the kernel gives it, for the `WIF…` macros. */
  raw: number;
  /** The same, decoded. */
  status: WaitStatus;
};

/** A child and its new state, as `waitid` tells it in a `siginfo_t`. */
export type WaitidResult = {
  /** The child's pid. */
  pid: number;
  /** The child's real user id. */
  uid: number;
  /** `si_code`: what has happened. */
  code: "exited" | "killed" | "dumped" | "trapped" | "stopped" | "continued";
  /** `si_status`: the exit code if the child has exited, else the number of the signal. It is no status word. */
  siStatus: number;
  /** The same, decoded; a traced child that has trapped counts as stopped. */
  status: WaitStatus;
};

/** A child, its new state, and what it has used. */
export type WaitUsageResult = WaitResult & {
  /** What the child, and those of its own children that it has waited for, have used. */
  rusage: Rusage;
};

/**
 * `struct rusage`: what a process has used. Every field is a number; those that Linux does not maintain are 0.
 *
 * @see {@link https://man7.org/linux/man-pages/man2/getrusage.2.html | getrusage(2)}
 */
export type Rusage = {
  /** CPU time spent in user mode, in seconds, to the microsecond. */
  utime: number;
  /** CPU time spent in the kernel, in seconds, to the microsecond. */
  stime: number;
  /** The most memory that was ever resident, in KiB. It survives `exec`: a child starts with its parent's size. */
  maxrss: number;
  /** Shared memory size, in KiB × ticks. Not maintained by Linux: 0. */
  ixrss: number;
  /** Unshared data size, in KiB × ticks. Not maintained by Linux: 0. */
  idrss: number;
  /** Unshared stack size, in KiB × ticks. Not maintained by Linux: 0. */
  isrss: number;
  /** Page faults served without input or output: a count. */
  minflt: number;
  /** Page faults that had to read: a count. */
  majflt: number;
  /** Times the whole process was swapped out: a count. Not maintained by Linux: 0. */
  nswap: number;
  /** Reads by the file system, in blocks of 512 bytes. */
  inblock: number;
  /** Writes by the file system, in blocks of 512 bytes. */
  oublock: number;
  /** Messages sent: a count. Not maintained by Linux: 0. */
  msgsnd: number;
  /** Messages received: a count. Not maintained by Linux: 0. */
  msgrcv: number;
  /** Signals received: a count. Not maintained by Linux: 0. */
  nsignals: number;
  /** Voluntary context switches, such as for waiting: a count. */
  nvcsw: number;
  /** Involuntary context switches, for the time slice was over or a more urgent process came: a count. */
  nivcsw: number;
};
