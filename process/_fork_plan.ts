import {
  checkBoolean,
  checkDescriptor,
  checkEach,
  checkInteger,
  checkObject,
  checkOptional,
  checkString,
  describe,
  wrongType,
} from "../ffi/_arguments.ts";
import { checkSignal } from "../ffi/_signals.ts";
import type { ForkOptions, StandardStream } from "./fork_options.ts";

/** The kernel keeps that much of a name, and a NUL. */
const NAME_MAX = 15;

/** What is asked of a child, checked. */
export interface ForkPlan {
  readonly name: string | undefined;
  readonly stdio: readonly StandardStream[];
  /** The number of the signal; `undefined` for none. */
  readonly parentDeathSignal: number | undefined;
  readonly newSession: boolean;
  /** The group to join, 0 for one of its own; `undefined` for the parent's. */
  readonly processGroup: number | undefined;
  /** Which descriptors to leave open besides 0, 1 and 2; `undefined` for all. */
  readonly keptFds: readonly number[] | undefined;
  readonly resetSignals: boolean;
}

/** Checks the options, before anything has happened. */
export function planOf(options: ForkOptions): ForkPlan {
  checkObject(options, "options");
  const {
    stdin = "inherit",
    stdout = "inherit",
    stderr = "inherit",
    newSession = false,
    closeFds = false,
    resetSignals = false,
  } = options;
  const plan: ForkPlan = {
    name: checkOptional(options.name, checkThreadName),
    stdio: [
      checkStream(stdin, "stdin"),
      checkStream(stdout, "stdout"),
      checkStream(stderr, "stderr"),
    ],
    parentDeathSignal: checkOptional(
      options.parentDeathSignal,
      (signal) => checkSignal(signal, "parentDeathSignal"),
    ),
    newSession: checkBoolean(newSession, "newSession"),
    processGroup: checkOptional(
      options.processGroup,
      (group) => checkInteger(group, "processGroup", 0),
    ),
    keptFds: checkKept(closeFds),
    resetSignals: checkBoolean(resetSignals, "resetSignals"),
  };
  if (plan.newSession && (plan.processGroup ?? 0) !== 0) {
    throw new TypeError(
      `Cannot join process group ${plan.processGroup} as 'newSession' makes a group of its own`,
    );
  }
  return plan;
}

/** The name of a thread: no longer than the kernel keeps it, which would cut it silently. */
export function checkThreadName(name: string): string {
  const { length } = new TextEncoder().encode(checkString(name, "name"));
  if (length <= NAME_MAX) return name;
  throw new RangeError(
    `'name' must not be longer than ${NAME_MAX} bytes: current value is ${
      describe(name)
    }`,
  );
}

function checkStream(value: StandardStream, name: string): StandardStream {
  if (typeof value === "number") return checkDescriptor(value, name);
  if (value === "inherit" || value === "null" || value === "piped") {
    return value;
  }
  throw wrongType(
    value,
    name,
    '"inherit", "null", "piped" or a descriptor',
  );
}

function checkKept(
  value: NonNullable<ForkOptions["closeFds"]>,
): readonly number[] | undefined {
  if (typeof value === "boolean") return value ? [] : undefined;
  const kept = value?.except;
  if (!Array.isArray(kept)) {
    throw wrongType(value, "closeFds", "a boolean or { except: number[] }");
  }
  return checkEach(kept, "closeFds.except", checkDescriptor);
}
