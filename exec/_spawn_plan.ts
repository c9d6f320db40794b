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
import { checkSignal, SIGNAL_NUMBERS } from "../ffi/_signals.ts";
import type { FdSource } from "../process/_child_fds.ts";
import {
  encodeLimit,
  type Resource,
  resourceNumber,
} from "../process/_resources.ts";
import type { EndingPlan } from "../process/_supervision.ts";
import { environmentFor } from "./_environment.ts";
import type { Launch, Settings } from "./_launch.ts";
import {
  PLAIN_SIGNALS,
  type ProgramSignals,
  signalSet,
} from "./_program_signals.ts";
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
  const asked = [uid, gid, umask, priority, parentDeathSignal, rlimits];
  if (asked.every((value) => value === undefined)) return undefined;
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

function checkSignals(
  { signalMask = [], resetSignals = false }: SpawnOptions,
): ProgramSignals {
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
  const { stdin, stdout, stderr = "inherit", fds = {} } = options;
  checkRecord(fds, "fds");
  return [
    [0, checkStream(stdin, "stdin")],
    [1, checkStream(stdout, "stdout")],
    [2, stderr === "stdout" ? stderr : checkStream(stderr, "stderr")],
    ...Object.entries(fds).map(([key, fd]) => {
      const target = /^\d+$/.test(key) ? Number(key) : key as never;
      checkInteger(target, "fds: number of a descriptor", 3);
      return [target, checkDescriptor(fd, `fds[${key}]`)] as const;
    }),
  ];
}

/** Checks what a standard stream is to be. */
export function checkStream(
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
