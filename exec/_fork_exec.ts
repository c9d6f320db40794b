import { cString, cStringArray } from "../ffi/_arguments.ts";
import {
  checkValue,
  errorFor,
  lastError,
  readErrno,
  retryInterrupted,
} from "../ffi/_libc.ts";
import {
  descriptorSymbols,
  exitSymbols,
  processSymbols,
  settingSymbols,
  signalSymbols,
} from "../ffi/_symbols.ts";
import {
  F_DUPFD_CLOEXEC,
  F_SETFD,
  O_CLOEXEC,
  O_PATH,
  PR_SET_PDEATHSIG,
  PRIO_PROCESS,
  SIG_DFL,
  SIG_SETMASK,
  SYS_setgroups,
  SYS_setresgid,
  SYS_setresuid,
} from "../ffi/constants.ts";
import { ERRNO, PosixError } from "../ffi/errors.ts";
import { SIGACTION } from "../ffi/layouts.ts";
import { close } from "../ipc/descriptors.ts";
import { pipe } from "../ipc/pipes.ts";
import { forkWithoutHooks } from "../process/fork.ts";
import { getpid } from "../process/ids.ts";
import { resourceNumber } from "../process/limits.ts";
import { waitpid } from "../wait/wait.ts";
import { programPaths } from "./_become.ts";
import type { FileAction, Launch, Settings } from "./_launch.ts";

/**
 * The error for a program that could not be started.
 *
 * `posix_spawn` gives a number and does not say what it is about, so the directory and the group are looked at again.
 */
export function startFailure(launch: Launch, errno: number): PosixError {
  return directoryFailure(launch) ?? groupFailure(launch, errno) ??
    programFailure(launch, "posix_spawnp", errno);
}

/** The error for a program that is not there, or not to be executed. */
function programFailure(
  { file, cwd }: Launch,
  syscall: string,
  errno: number,
): PosixError {
  const path = file.startsWith("/") || cwd === undefined
    ? file
    : `${cwd}/${file}`;
  const lacksInterpreter = errno === ERRNO.ENOENT && file.includes("/") &&
    canReach(path);
  return new PosixError(`Cannot start ${JSON.stringify(file)}`, {
    errno,
    syscall,
    path: file,
    ...(lacksInterpreter
      ? { detail: "the file is there, but not the interpreter that it names" }
      : {}),
  });
}

function directoryFailure(
  { file, cwd }: Launch,
): PosixError | undefined {
  // The dot is looked up *in* the directory, which takes the same permission as going there.
  if (cwd === undefined || canReach(`${cwd}/.`)) return undefined;
  return lastError(
    "chdir",
    () =>
      `Cannot start ${JSON.stringify(file)} in directory ${
        JSON.stringify(cwd)
      }`,
    cwd,
  );
}

function groupFailure(
  { file, newSession, processGroup = 0 }: Launch,
  errno: number,
): PosixError | undefined {
  if (newSession || processGroup === 0 || errno !== ERRNO.EPERM) {
    return undefined;
  }
  // The leader's session alone does not tell: a process of this session may well lead no group.
  const { getpgid, getsid } = processSymbols();
  if (
    getpgid(processGroup) === processGroup &&
    getsid(processGroup) === getsid(0)
  ) return undefined;
  return new PosixError(
    `Cannot start ${JSON.stringify(file)} in process group ${processGroup}`,
    { errno, syscall: "setpgid" },
  );
}

function canReach(path: string): boolean {
  const libc = descriptorSymbols();
  const fd = libc.open(cString(path, "path"), O_PATH | O_CLOEXEC, 0);
  if (fd === -1) return false;
  libc.close(fd);
  return true;
}

/** Something that a forked child does on its way to the program. */
interface Step {
  /** Does it; gives -1, with errno, where the system refuses. */
  take(): number;
  /** In the parent: the error for the number that was given for it. */
  failure(errno: number): PosixError;
}

/** All that a forked child does, in order; the last step is the program. */
function childSteps(launch: Launch): Step[] {
  const { settings, fileActions } = launch;
  return [
    ...groupSteps(launch),
    ...signalSteps(launch),
    ...(settings === undefined ? [] : identitySteps(launch, settings)),
    ...directorySteps(launch),
    ...fileActions.map((action) => fileStep(launch, action)),
    ...(settings === undefined ? [] : limitSteps(launch, settings)),
    programStep(launch),
  ];
}

/** A step whose failure says that the program cannot be started `how`. */
function step(
  { file }: Launch,
  syscall: string,
  how: string,
  take: () => number,
): Step {
  const action = () => `Cannot start ${JSON.stringify(file)} ${how}`;
  return { take, failure: (errno) => errorFor(errno, syscall, action) };
}

function groupSteps(launch: Launch): Step[] {
  const libc = processSymbols();
  const { newSession, processGroup } = launch;
  if (newSession) {
    return [step(launch, "setsid", "in a new session", () => libc.setsid())];
  }
  if (processGroup === undefined) return [];
  return [step(
    launch,
    "setpgid",
    `in process group ${processGroup}`,
    () => libc.setpgid(0, processGroup),
  )];
}

function signalSteps(launch: Launch): Step[] {
  const libc = signalSymbols();
  const action = new Uint8Array(SIGACTION.size);
  new DataView(action.buffer).setBigUint64(
    SIGACTION.fields.sa_handler,
    BigInt(SIG_DFL),
    true,
  );
  return launch.signals.reset.map((signal) =>
    step(
      launch,
      "sigaction",
      `with signal ${signal} at its default`,
      () => libc.sigaction(signal, action, null),
    )
  );
}

/** Who the program is, and how it is served. Privileges are needed for some of it, so they are given up last. */
function identitySteps(launch: Launch, settings: Settings): Step[] {
  const libc = settingSymbols();
  const { umask, prctl, getppid } = processSymbols();
  const { uid, gid, priority, parentDeathSignal } = settings;
  const steps: Step[] = [];
  const add = (syscall: string, how: string, take: () => number) =>
    steps.push(step(launch, syscall, how, take));
  if (settings.umask !== undefined) {
    const mask = settings.umask;
    add("umask", `with file mode mask ${mask}`, () => umask(mask));
  }
  if (priority !== undefined) {
    add(
      "setpriority",
      `with priority ${priority}`,
      () => libc.setpriority(PRIO_PROCESS, 0, priority),
    );
  }
  if (uid !== undefined && libc.geteuid() === 0) {
    const call = BigInt(SYS_setgroups);
    add("setgroups", "in no groups", () => libc.setgroups(call, 0, null));
  }
  if (gid !== undefined) {
    const call = BigInt(SYS_setresgid);
    add(
      "setresgid",
      `as group ${gid}`,
      () => libc.setresid(call, gid, gid, gid),
    );
  }
  if (uid !== undefined) {
    const call = BigInt(SYS_setresuid);
    add(
      "setresuid",
      `as user ${uid}`,
      () => libc.setresid(call, uid, uid, uid),
    );
  }
  // The kernel forgets it when the user changes.
  if (parentDeathSignal !== undefined) {
    const parent = getpid();
    const signal = BigInt(parentDeathSignal);
    add("prctl", `with signal ${signal} at this process's end`, () => {
      const result = prctl(PR_SET_PDEATHSIG, signal);
      // It may have ended before the kernel knew of the wish.
      if (getppid() !== parent) exitSymbols()._exit(1);
      return result;
    });
  }
  return steps;
}

function directorySteps(launch: Launch): Step[] {
  const { cwd } = launch;
  if (cwd === undefined) return [];
  const path = cString(cwd, "cwd");
  const { chdir } = processSymbols();
  const where = `in directory ${JSON.stringify(cwd)}`;
  const { take, failure } = step(launch, "chdir", where, () => chdir(path));
  return [{
    take,
    failure: (errno) => Object.assign(failure(errno), { path: cwd }),
  }];
}

function fileStep(launch: Launch, action: FileAction): Step {
  const libc = descriptorSymbols();
  switch (action.do) {
    case "dup2": {
      const { from, to } = action;
      return step(
        launch,
        "dup2",
        `with descriptor ${from} as ${to}`,
        // What is in its place already is close-on-exec still.
        () => from === to ? keepOpen(from) : libc.dup2(from, to),
      );
    }
    case "open": {
      const path = cString(action.path, "path");
      const { fd, flags } = action;
      return step(launch, "open", `with ${action.path}`, () => {
        const opened = libc.open(path, flags, 0);
        if (opened === -1 || opened === fd) return opened;
        const result = libc.dup2(opened, fd);
        libc.close(opened);
        return result;
      });
    }
    case "close":
      // It may be closed already, which is just as well.
      return step(launch, "close", "", () => (libc.close(action.fd), 0));
    case "closefrom":
      throw new TypeError("Cannot close an open end of descriptors in a fork");
  }
}

function keepOpen(fd: number): number {
  return descriptorSymbols().fcntl(fd, F_SETFD, 0);
}

function limitSteps(launch: Launch, { rlimits }: Settings): Step[] {
  const { setrlimit } = processSymbols();
  return Array.from(rlimits, ([resource, limit]) => {
    const number = resourceNumber(resource);
    return step(
      launch,
      "setrlimit",
      `with that limit of ${resource}`,
      () => setrlimit(number, limit),
    );
  });
}

/** Errors with which the search goes on in the next directory of `PATH`, as it does in glibc. */
const GOES_ON: readonly number[] = [
  ERRNO.ENOENT,
  ERRNO.ENOTDIR,
  ERRNO.ESTALE,
  ERRNO.ENODEV,
  ERRNO.ETIMEDOUT,
];

/** Unlike `execvp`, and like `posix_spawnp`, this gives no file without a known format to a shell. */
function programStep(launch: Launch): Step {
  const { execve } = settingSymbols();
  const { pthread_sigmask } = signalSymbols();
  const { args, signals, environment: { address } } = launch;
  const argv = cStringArray(args, "args");
  const paths = programPaths(launch.file).map((path) => cString(path, "file"));
  return {
    take() {
      pthread_sigmask(SIG_SETMASK, signals.blocked, null);
      let denied: Uint8Array<ArrayBuffer> | undefined;
      for (const path of paths) {
        execve(path, argv, address);
        const errno = readErrno();
        if (errno === ERRNO.EACCES) denied = path;
        else if (!GOES_ON.includes(errno)) return -1;
      }
      // Once more, for the error that tells most.
      return denied === undefined ? -1 : execve(denied, argv, address);
    },
    failure: (errno) => programFailure(launch, "execve", errno),
  };
}

/** Said in place of a step's number: the next thing is the program itself. */
const READY = -1;

/**
 * Starts a program by way of a fork: the child, a copy of this process, takes the steps to the program one by one.
 *
 * What they are is put together before the fork; the child only makes the calls, since a limit that it is to have may leave
 * little room for anything else. It says which step has failed through a pipe that the program's start closes.
 */
export function forkExec(launch: Launch): number {
  const steps = childSteps(launch);
  const [reader, writer] = pipe();
  let report: Int32Array | undefined;
  let pid: number;
  try {
    const channel = outOfTheWay(writer, launch);
    try {
      pid = forkWithoutHooks();
      if (pid === 0) become(steps, channel);
    } finally {
      close(channel);
      close(writer);
    }
    report = readReport(reader);
  } finally {
    close(reader);
  }
  if (report?.[0] === READY) return pid;
  const end = waitpid(pid)!.status;
  const failed = report && steps[report[0]!];
  if (failed !== undefined) throw failed.failure(report![1]!);
  throw new PosixError(`Cannot start ${JSON.stringify(launch.file)}`, {
    errno: ERRNO.ECHILD,
    syscall: "fork",
    detail: `the child has ended on its way to the program: ${
      Deno.inspect(end)
    }`,
  });
}

/** A copy of the writing end under a number that no descriptor of the program gets. */
function outOfTheWay(writer: number, { fileActions }: Launch): number {
  const highest = Math.max(
    2,
    ...fileActions.map((action) => "to" in action ? action.to : 2),
  );
  return checkValue(
    descriptorSymbols().fcntl(writer, F_DUPFD_CLOEXEC, highest + 1),
    "fcntl",
    () => `Cannot duplicate descriptor ${writer}`,
  );
}

/** In the child: takes the steps, of which the last is not come back from. */
function become(steps: readonly Step[], channel: number): never {
  const { write } = descriptorSymbols();
  const report = new Int32Array(2);
  const size = BigInt(report.byteLength);
  const last = steps.length - 1;
  for (let i = 0; i <= last; i++) {
    if (i === last) {
      report[0] = READY;
      write(channel, report, size);
    }
    if (steps[i]!.take() !== -1) continue;
    report[1] = readErrno();
    report[0] = i;
    write(channel, report, size);
    break;
  }
  for (;;) exitSymbols()._exit(127);
}

/** In the parent: the last report, after which the program runs or the child has ended. */
function readReport(reader: number): Int32Array | undefined {
  const buffer = new Int32Array(2);
  let report: Int32Array | undefined;
  for (;;) {
    const count = retryInterrupted(
      () => descriptorSymbols().read(reader, buffer, BigInt(buffer.byteLength)),
      "read",
      () => "Cannot learn whether the program has started",
    );
    if (count === 0) return report;
    report = buffer.slice();
  }
}
