import {
  checkAbortSignal,
  checkArray,
  checkBoolean,
  checkDescriptor,
  checkEach,
  checkInteger,
  checkObject,
  checkOptional,
  checkString,
  wrongType,
} from "../ffi/_arguments.ts";
import { checkSignal, SIGNAL_NUMBERS, signalSet } from "../ffi/_signals.ts";
import { ChildFds, type FdSource } from "../process/_child_fds.ts";
import { ChildProcess, type EndingPlan } from "../process/child_process.ts";
import {
  encodeLimit,
  type Resource,
  resourceNumber,
} from "../process/limits.ts";
import { environmentFor } from "./_become.ts";
import {
  type Launch,
  PLAIN_SIGNALS,
  type ProgramSignals,
  type Settings,
} from "./_launch.ts";
import { startChild } from "./_start_child.ts";
import type { SpawnOptions, SpawnStream } from "./spawn_options.ts";

const ID_MAX = 0xffff_fffe;
const TIMER_MAX = 0x7fff_ffff;
const NICEST = 19;
const RUDEST = -20;

/** What is asked for, checked: nothing has happened yet. */
export interface SpawnPlan {
  /** The descriptors of the program, by number; they are to be opened. */
  readonly fds: readonly (readonly [target: number, source: FdSource])[];
  /** All the rest. */
  readonly launch: Omit<Launch, "fileActions">;
  readonly ending: EndingPlan;
}

/** Checks the arguments of `spawn`. */
export function spawnPlan(
  file: string,
  args: readonly string[],
  options: SpawnOptions,
): SpawnPlan {
  checkString(file, "file");
  checkArray(args, "args");
  checkRecord(options, "options");
  const { argv0 = file, clearEnv = false, newSession = false } = options;
  const ending = checkEnding(options);
  checkString(argv0, "argv0");
  checkBoolean(clearEnv, "clearEnv");
  checkBoolean(newSession, "newSession");
  const launch = {
    file,
    args: checkArgs(argv0, args),
    environment: environmentFor(options.env, clearEnv),
    cwd: checkOptional(options.cwd, (cwd) => checkString(cwd, "cwd")),
    newSession,
    processGroup: checkOptional(
      options.processGroup,
      (group) => checkInteger(group, "processGroup", 0),
    ),
    signals: checkSignals(options),
    settings: checkSettings(options),
  };
  if (newSession && (launch.processGroup ?? 0) !== 0) {
    throw new TypeError(
      `Cannot join process group ${launch.processGroup} as 'newSession' makes a group of its own`,
    );
  }
  return { fds: checkFds(options), launch, ending };
}

function checkArgs(argv0: string, args: readonly string[]): string[] {
  const all = [argv0];
  for (let index = 0; index < args.length; index++) {
    all.push(checkString(args[index]!, `args[${index}]`));
  }
  return all;
}

const NO_END: EndingPlan = {};

function checkEnding(options: SpawnOptions): EndingPlan {
  const { signal, timeout, killGrace } = options;
  if (
    signal === undefined && timeout === undefined && killGrace === undefined
  ) return NO_END;
  checkAbortSignal(signal);
  const checkTime = (name: string) => (value: number) =>
    checkInteger(value, name, 0, TIMER_MAX);
  return {
    signal,
    timeout: checkOptional(timeout, checkTime("timeout")),
    killGrace: checkOptional(killGrace, checkTime("killGrace")),
  };
}

function checkSettings(options: SpawnOptions): Settings | undefined {
  const { uid, gid, umask, priority, parentDeathSignal, rlimits } = options;
  if (
    uid === undefined && gid === undefined && umask === undefined &&
    priority === undefined && parentDeathSignal === undefined &&
    rlimits === undefined
  ) return undefined;
  if (rlimits !== undefined) checkRecord(rlimits, "rlimits");
  const limits = Object.entries(rlimits ?? {}) as [
    Resource,
    NonNullable<SpawnOptions["rlimits"]>[Resource],
  ][];
  const settings: Settings = {
    uid: checkOptional(uid, (id) => checkInteger(id, "uid", 0, ID_MAX)),
    gid: checkOptional(gid, (id) => checkInteger(id, "gid", 0, ID_MAX)),
    umask: checkOptional(
      umask,
      (mask) => checkInteger(mask, "umask", 0, 0o777),
    ),
    priority: checkOptional(
      priority,
      (nice) => checkInteger(nice, "priority", RUDEST, NICEST),
    ),
    parentDeathSignal: checkOptional(
      parentDeathSignal,
      (signal) => checkSignal(signal, "parentDeathSignal"),
    ),
    rlimits: new Map(limits.map(([resource, limit]) => {
      resourceNumber(resource);
      return [resource, encodeLimit(limit!, `rlimits.${resource}`)];
    })),
  };
  const { rlimits: _, ...others } = settings;
  const isAsked = limits.length > 0 ||
    Object.values(others).some((value) => value !== undefined);
  return isAsked ? settings : undefined;
}

const NO_SIGNALS: readonly number[] = [];

function checkSignals(
  { signalMask = NO_SIGNALS, resetSignals = false }: SpawnOptions,
): ProgramSignals {
  if (signalMask === NO_SIGNALS && resetSignals === false) return PLAIN_SIGNALS;
  const blocked = checkEach(signalMask, "signalMask", checkSignal);
  let reset: number[] = [];
  if (Array.isArray(resetSignals)) {
    reset = checkEach(resetSignals, "resetSignals", checkSignal);
  } else if (checkBoolean(resetSignals as boolean, "resetSignals")) {
    reset = Object.values(SIGNAL_NUMBERS);
  }
  if (blocked.length === 0 && reset.length === 0) return PLAIN_SIGNALS;
  // Those two have their defaults always, and the system refuses to be asked.
  const { SIGKILL, SIGSTOP } = SIGNAL_NUMBERS;
  return {
    blocked: signalSet(blocked),
    reset: [...PLAIN_SIGNALS.reset, ...reset].filter((signal) =>
      signal !== SIGKILL && signal !== SIGSTOP
    ),
  };
}

function checkFds(options: SpawnOptions): SpawnPlan["fds"] {
  const { stdin, stdout, stderr, fds } = options;
  const all: (readonly [number, FdSource])[] = [
    [0, checkStream(stdin, "stdin")],
    [1, checkStream(stdout, "stdout")],
    [2, stderr === "stdout" ? stderr : checkStream(stderr, "stderr")],
  ];
  if (fds === undefined) return all;
  checkRecord(fds, "fds");
  for (const [key, fd] of Object.entries(fds)) {
    const target = /^\d+$/.test(key) ? Number(key) : key as never;
    checkInteger(target, "fds: number of a descriptor", 3);
    all.push([target, checkDescriptor(fd, `fds[${key}]`)]);
  }
  return all;
}

/** Checks what a standard stream is to be. */
function checkStream(
  value: SpawnStream = "inherit",
  name: string,
): FdSource {
  if (typeof value === "number") return checkDescriptor(value, name);
  if (value === "inherit" || value === "null" || value === "piped") {
    return value;
  }
  if (typeof value === "string" && value.includes("/")) {
    return { path: checkString(value, name) };
  }
  throw wrongType(
    value,
    name,
    '"inherit", "null", "piped", a descriptor, or a path with a "/" in it',
  );
}

/** An object, and no array: what is meant for another argument must not pass for one that asks for nothing. */
function checkRecord(value: unknown, name: string): void {
  if (Array.isArray(value)) throw wrongType(value, name, "an object");
  checkObject(value, name);
}

/**
 * Starts a program as a child of this process, as `posix_spawnp` does and with all that this leaves out.
 *
 * The call blocks until the program runs, well under a millisecond, however large this process is: nothing of it is copied, and
 * its threads are of no concern. A program that cannot be run is an error at once, which says what was wrong: the program, its
 * directory, a descriptor, a limit. Then there is no child, and everything that was opened for it is closed.
 *
 * What the program gets is what was asked for: no descriptor but the three standard ones and those in `fds`, whoever has opened
 * others without close-on-exec; no signal blocked, none with a handler, SIGPIPE not ignored as it is in Deno. The soft limit of
 * open files however is as high as Deno has set it: what it was is not recorded anywhere. `rusage.maxrss` of its status is at
 * least what this process had resident at the start, as the kernel counts from there.
 *
 * A name without a `/` is looked for in the `PATH` of this process, not in that of `env`. A file without a known format is
 * `ENOEXEC`: it is not given to a shell.
 *
 * There is nothing between this process and the program: the child, which has this process's memory as by `vfork`, makes the few
 * system calls that take it there, and gives up privileges last. No JavaScript runs in it, and nobody's hooks of `onFork`. All of
 * it works in a worker too.
 *
 * @param file The program: a name to be looked for on `PATH`, or a path.
 * @param args Its arguments, without its own name.
 * @param options What it is to start with, and when it is to end.
 * @returns The child. Its streams are there where an option says `"piped"`.
 * @throws {PosixError} `ENOENT` if the program, its interpreter or `cwd` is not there; `EACCES` if it is not to be executed;
 * `ENOEXEC` if its format is not known; `E2BIG` if arguments and environment are too long; `EBADF` if a descriptor is not
 * open; `EMFILE` if there is none left; `EPERM` if the process group is not there, or user, group, limit or priority are not
 * for this process to choose; `EAGAIN` or `ENOMEM` if there can be no further process; what `open` says of a file for a
 * standard stream.
 * @throws {TypeError} If an argument has a wrong type, or a NUL in it, or options contradict each other.
 * @throws {RangeError} If a number is out of range.
 *
 * @example A program and what it says
 * ```ts
 * import { spawn } from "@posix/process/exec";
 * import { assertEquals } from "@std/assert";
 *
 * const child = spawn("sh", ["-c", "echo $GREETING; exit 3"], {
 *   env: { GREETING: "你好" },
 *   stdout: "piped",
 * });
 * assertEquals(await child.text(), "你好\n");
 * assertEquals((await child.status).code, 3);
 * ```
 *
 * @example A program that must not take too long
 * ```ts
 * import { spawn } from "@posix/process/exec";
 * import { assertEquals } from "@std/assert";
 *
 * const { signal, timedOut } = await spawn("sleep", ["60"], { timeout: 10 }).status;
 * assertEquals({ signal, timedOut }, { signal: "SIGTERM", timedOut: true });
 * ```
 *
 * @see {@link https://man7.org/linux/man-pages/man3/posix_spawn.3.html | posix_spawn(3)}
 * @see {@link https://man7.org/linux/man-pages/man2/vfork.2.html | vfork(2)}
 */
export function spawn(
  file: string,
  args: readonly string[] = [],
  options: SpawnOptions = {},
): ChildProcess {
  const { fds, launch, ending } = spawnPlan(file, args, options);
  ending.signal?.throwIfAborted();
  const parts = startChild(launch, new ChildFds(fds));
  return new ChildProcess(parts, ending);
}
