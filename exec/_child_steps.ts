import { cString } from "../ffi/_arguments.ts";
import type { symbolAddresses } from "../ffi/_call_list.ts";
import { errorFor } from "../ffi/_libc.ts";
import { descriptorSymbols, programSymbols } from "../ffi/_symbols.ts";
import {
  CLOSE_RANGE_UNSHARE,
  F_SETFD,
  O_CLOEXEC,
  O_PATH,
  PR_SET_PDEATHSIG,
  PRIO_PROCESS,
  SYS_close_range,
  SYS_setgroups,
  SYS_setresgid,
  SYS_setresuid,
} from "../ffi/constants.ts";
import { ERRNO, PosixError } from "../ffi/errors.ts";
import { getpid } from "../process/ids.ts";
import { resourceNumber } from "../process/limits.ts";
import { defaultDisposition } from "./_become.ts";
import type { FileAction, Launch, Settings } from "./_launch.ts";

/** A call that a child makes on its way to the program. */
export interface Step {
  /** The function of libc. */
  readonly call: keyof ReturnType<typeof symbolAddresses>;
  /** What it is given: integers, addresses, and memory. */
  readonly arguments: readonly (number | bigint | Uint8Array<ArrayBuffer>)[];
  /** What it gives where all is well; `undefined` where anything will do. */
  readonly gives: number | undefined;
  /** The system call, for an error. */
  readonly syscall: string;
  /** What is so about the start that could not be, for an error. */
  readonly how: () => string;
  /** The path that it is about. */
  readonly path?: string;
}

/** The error for a step that has failed. */
export function stepFailure(
  { syscall, how, path }: Step,
  { file }: Launch,
  errno: number,
): PosixError {
  const action = () => `Cannot start ${JSON.stringify(file)} ${how()}`;
  return errorFor(errno, syscall, action, path);
}

/** All that a child does on its way to the program, in order. */
export function childSteps(launch: Launch): Step[] {
  const { settings, fileActions, signals } = launch;
  const steps = new Steps();
  steps.enterGroup(launch);
  for (const signal of signals.reset) steps.resetSignal(signal);
  if (settings !== undefined) steps.changeIdentity(settings);
  if (launch.cwd !== undefined) steps.changeDirectory(launch.cwd);
  for (const action of fileActions) steps.changeFile(action);
  if (settings !== undefined) steps.setLimits(settings);
  return steps.all;
}

/** The error for a program that is not there, or not to be executed. */
export function programFailure(
  { file, cwd }: Launch,
  errno: number,
): PosixError {
  const path = file.startsWith("/") || cwd === undefined
    ? file
    : `${cwd}/${file}`;
  const lacksInterpreter = errno === ERRNO.ENOENT && file.includes("/") &&
    canReach(path);
  return new PosixError(`Cannot start ${JSON.stringify(file)}`, {
    errno,
    syscall: "execve",
    path: file,
    ...(lacksInterpreter
      ? { detail: "the file is there, but not the interpreter that it names" }
      : {}),
  });
}

function canReach(path: string): boolean {
  const libc = descriptorSymbols();
  const fd = libc.open(cString(path, "path"), O_PATH | O_CLOEXEC, 0);
  if (fd === -1) return false;
  libc.close(fd);
  return true;
}

/** The last of all descriptors that there could be. */
export const LAST_FD = 0xffff_ffff;

// What most programs start with is made once.
const COPY_STANDARD_STREAMS = closeFrom(3, CLOSE_RANGE_UNSHARE);
const resets = new Map<number, Step>();

function closeFrom(fd: number, flags = 0): Step {
  return {
    call: "syscall",
    arguments: [SYS_close_range, fd, LAST_FD, flags],
    gives: 0,
    syscall: "close_range",
    how: () => "without other descriptors",
  };
}

function resetSignal(signal: number): Step {
  return {
    call: "sigaction",
    arguments: [signal, defaultDisposition(), 0],
    gives: 0,
    syscall: "sigaction",
    how: () => `with signal ${signal} at its default`,
  };
}

class Steps {
  readonly all: Step[] = [];

  enterGroup({ newSession, processGroup }: Launch): void {
    if (newSession) {
      this.#add("setsid", [], undefined, "setsid", () => "in a new session");
    } else if (processGroup !== undefined) {
      this.#add(
        "setpgid",
        [0, processGroup],
        0,
        "setpgid",
        () => `in process group ${processGroup}`,
      );
    }
  }

  resetSignal(signal: number): void {
    let step = resets.get(signal);
    if (step === undefined) resets.set(signal, step = resetSignal(signal));
    this.all.push(step);
  }

  /** Who the program is, and how it is served. Privileges are needed for some of it, so they are given up last. */
  changeIdentity(settings: Settings): void {
    const { umask, uid, gid, priority, parentDeathSignal } = settings;
    if (umask !== undefined) {
      this.#add("umask", [umask], undefined, "umask", () => "");
    }
    if (priority !== undefined) {
      this.#add(
        "setpriority",
        [PRIO_PROCESS, 0, priority],
        0,
        "setpriority",
        () => `with priority ${priority}`,
      );
    }
    // The system calls themselves: glibc would tell all threads, which are the parent's.
    if (uid !== undefined && programSymbols().geteuid() === 0) {
      this.#addSystemCall(
        [SYS_setgroups, 0, 0],
        "setgroups",
        () => "in no groups",
      );
    }
    if (gid !== undefined) {
      this.#addSystemCall(
        [SYS_setresgid, gid, gid, gid],
        "setresgid",
        () => `as group ${gid}`,
      );
    }
    if (uid !== undefined) {
      this.#addSystemCall(
        [SYS_setresuid, uid, uid, uid],
        "setresuid",
        () => `as user ${uid}`,
      );
    }
    // The kernel forgets it when the user changes.
    if (parentDeathSignal === undefined) return;
    const how = () => `with signal ${parentDeathSignal} at this process's end`;
    const wish = [PR_SET_PDEATHSIG, parentDeathSignal];
    this.#add("prctl", wish, 0, "prctl", how);
    // It may have ended before the kernel knew of the wish.
    this.#add("getppid", [], getpid(), "getppid", how);
  }

  changeDirectory(cwd: string): void {
    this.all.push({
      call: "chdir",
      arguments: [cString(cwd, "cwd")],
      gives: 0,
      syscall: "chdir",
      how: () => `in directory ${JSON.stringify(cwd)}`,
      path: cwd,
    });
  }

  changeFile(action: FileAction): void {
    switch (action.do) {
      case "dup2":
        return this.#duplicate(action.from, action.to);
      case "open":
        return this.#open(action.fd, action.path, action.flags);
      case "close":
        // It may be closed already, which is just as well.
        return this.#add("close", [action.fd], undefined, "close", () => "");
      case "closefrom":
        this.all.push(closeFrom(action.fd));
        return;
      case "copy standard streams":
        this.all.push(COPY_STANDARD_STREAMS);
    }
  }

  setLimits({ rlimits }: Settings): void {
    for (const [resource, limit] of rlimits) {
      this.#add(
        "setrlimit",
        [resourceNumber(resource), limit],
        0,
        "setrlimit",
        () => `with that limit of ${resource}`,
      );
    }
  }

  #duplicate(from: number, to: number): void {
    const how = () => `with descriptor ${from} as ${to}`;
    // What is in its place already may be close-on-exec still.
    if (from === to) this.#add("fcntl", [to, F_SETFD, 0], 0, "fcntl", how);
    else this.#add("dup2", [from, to], to, "dup2", how);
  }

  /** Where all below are open, what is opened takes the number that was closed. */
  #open(fd: number, path: string, flags: number): void {
    this.#add("close", [fd], undefined, "close", () => "");
    const file = cString(path, "path");
    this.#add("open", [file, flags, 0], fd, "open", () => `with ${path}`);
  }

  #addSystemCall(
    values: Step["arguments"],
    name: string,
    how: () => string,
  ): void {
    this.#add("syscall", values, 0, name, how);
  }

  #add(
    call: Step["call"],
    values: Step["arguments"],
    gives: number | undefined,
    syscall: string,
    how: () => string,
  ): void {
    this.all.push({ call, arguments: values, gives, syscall, how });
  }
}
