import {
  checkDescriptor,
  checkInteger,
  checkString,
  describe,
} from "../ffi/_arguments.ts";
import { type Signal, SIGNAL_NUMBERS, signalNumber } from "../ffi/_signals.ts";
import { checkSwitch } from "../ipc/_arguments.ts";
import type { FdSource } from "../process/_child_fds.ts";
import {
  encodeLimit,
  type Resource,
  resourceNumber,
} from "../process/_resources.ts";
import type { EndingPlan } from "../process/_supervision.ts";
import { environmentFor } from "./_environment.ts";
import type { Launch, Settings } from "./_launch.ts";
import { argvBlock } from "./_program.ts";
import { signalSet } from "./_signal_set.ts";
import type { SpawnOptions, SpawnStream } from "./spawn_options.ts";

const SIGNAL_MAX = 64;
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
  if (!Array.isArray(args)) {
    throw new TypeError(
      `'args' must be an array: current value is ${describe(args)}`,
    );
  }
  checkObject(options, "options");
  const { argv0 = file, clearEnv = false, newSession = false } = options;
  const ending = checkEnding(options);
  checkString(argv0, "argv0");
  checkSwitch(clearEnv, "clearEnv");
  checkSwitch(newSession, "newSession");
  const launch = {
    file,
    argv: argvBlock([argv0, ...args]),
    environment: environmentFor(options.env, clearEnv),
    cwd: optional(options.cwd, (cwd) => checkString(cwd, "cwd")),
    newSession,
    processGroup: optional(
      options.processGroup,
      (group) => checkInteger(group, "processGroup", 0),
    ),
    signalMask: signalSet(checkSignals(options.signalMask ?? [], "signalMask")),
    defaultSignals: defaultSignals(options.resetSignals ?? false),
    settings: checkSettings(options),
  };
  if (newSession && (launch.processGroup ?? 0) !== 0) {
    throw new TypeError(
      `Cannot join process group ${launch.processGroup} as 'newSession' makes a group of its own`,
    );
  }
  return { fds: checkFds(options), launch, ending };
}

function checkEnding(options: SpawnOptions): EndingPlan {
  const { signal, timeout, killGrace } = options;
  if (signal !== undefined && !(signal instanceof AbortSignal)) {
    throw new TypeError(
      `'signal' must be an AbortSignal: current value is ${describe(signal)}`,
    );
  }
  const checkTime = (name: string) => (value: number) =>
    checkInteger(value, name, 0, TIMER_MAX);
  return {
    signal,
    timeout: optional(timeout, checkTime("timeout")),
    killGrace: optional(killGrace, checkTime("killGrace")),
  };
}

function checkSettings(options: SpawnOptions): Settings | undefined {
  const { uid, gid, umask, priority, parentDeathSignal, rlimits } = options;
  if (rlimits !== undefined) checkObject(rlimits, "rlimits");
  const limits = Object.entries(rlimits ?? {}) as [
    Resource,
    NonNullable<SpawnOptions["rlimits"]>[Resource],
  ][];
  const settings: Settings = {
    uid: optional(uid, (id) => checkInteger(id, "uid", 0, ID_MAX)),
    gid: optional(gid, (id) => checkInteger(id, "gid", 0, ID_MAX)),
    umask: optional(umask, (mask) => checkInteger(mask, "umask", 0, 0o777)),
    priority: optional(
      priority,
      (nice) => checkInteger(nice, "priority", RUDEST, NICEST),
    ),
    parentDeathSignal: optional(
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

/** SIGPIPE is ignored by Deno itself, not by anybody's wish. */
function defaultSignals(
  reset: NonNullable<SpawnOptions["resetSignals"]>,
): number[] {
  const { SIGPIPE, SIGKILL, SIGSTOP } = SIGNAL_NUMBERS;
  let signals: number[] = [];
  if (Array.isArray(reset)) {
    signals = checkSignals(reset, "resetSignals");
  } else if (checkSwitch(reset as boolean, "resetSignals")) {
    signals = Object.values(SIGNAL_NUMBERS);
  }
  // Those two have their defaults always, and the system refuses to be asked.
  return [SIGPIPE, ...signals].filter((signal) =>
    signal !== SIGKILL && signal !== SIGSTOP
  );
}

function checkSignals(
  signals: readonly (Signal | number)[],
  name: string,
): number[] {
  if (!Array.isArray(signals)) {
    throw new TypeError(
      `'${name}' must be an array: current value is ${describe(signals)}`,
    );
  }
  return Array.from(
    signals,
    (signal, index) => checkSignal(signal, `${name}[${index}]`),
  );
}

function checkSignal(signal: Signal | number, name: string): number {
  return checkInteger(signalNumber(signal, name), name, 1, SIGNAL_MAX);
}

function checkFds(options: SpawnOptions): SpawnPlan["fds"] {
  const { stdin, stdout, stderr = "inherit", fds = {} } = options;
  checkObject(fds, "fds");
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
  throw new TypeError(
    `'${name}' must be "inherit", "null", "piped", a descriptor, or a path with a "/" in it: current value is ${
      describe(value)
    }`,
  );
}

function checkObject(value: unknown, name: string): void {
  if (typeof value === "object" && value !== null && !Array.isArray(value)) {
    return;
  }
  throw new TypeError(
    `'${name}' must be an object: current value is ${describe(value)}`,
  );
}

function optional<T, R>(
  value: T | undefined,
  check: (value: T) => R,
): R | undefined {
  return value === undefined ? undefined : check(value);
}
