import {
  checkBoolean,
  checkDescriptor,
  checkEach,
  checkInteger,
  checkObject,
  checkOptional,
  checkString,
  cString,
  describe,
  wrongType,
} from "../ffi/_arguments.ts";
import { checkErrorNumber, checkZero } from "../ffi/_libc.ts";
import { checkSignal, SIGNAL_NUMBERS } from "../ffi/_signals.ts";
import { processSymbols, signalSymbols } from "../ffi/_symbols.ts";
import {
  PR_SET_NAME,
  PR_SET_PDEATHSIG,
  SIG_DFL,
  SIG_IGN,
  SIG_SETMASK,
} from "../ffi/constants.ts";
import { PosixError } from "../ffi/errors.ts";
import { SIGACTION, SIGSET } from "../ffi/layouts.ts";
import { close } from "../ipc/descriptors.ts";
import { pipe } from "../ipc/pipes.ts";
import { writeAll } from "../ipc/read_write.ts";
import { openReadable } from "../ipc/streams.ts";
import { waitpid } from "../wait/wait.ts";
import { followChild, type Follower } from "../wait/wait_async.ts";
import { ChildStdio, ClosedFds } from "./_child_fds.ts";
import { _exit } from "./_exit.ts";
import { ChildParts } from "./child_process.ts";
import { fork } from "./fork.ts";
import type { ForkOptions, StandardStream } from "./fork_options.ts";
import { getpid, getppid, setpgid, setsid } from "./ids.ts";
import { kill } from "./kill.ts";

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

/** In the child: makes it what the options ask for. Whatever the system refuses is thrown. */
export function setUpChild(
  plan: ForkPlan,
  stdio: ChildStdio,
  closed: ClosedFds | undefined,
  parent: number,
): void {
  if (plan.newSession) setsid();
  else if (plan.processGroup !== undefined) setpgid(0, plan.processGroup);
  if (plan.name !== undefined) setName(plan.name);
  if (plan.parentDeathSignal !== undefined) {
    dieWithParent(plan.parentDeathSignal, parent);
  }
  if (plan.resetSignals) resetSignals();
  stdio.redirect();
  closed?.letGo();
}

function setName(name: string): void {
  checkZero(
    processSymbols().prctl_set_name(PR_SET_NAME, cString(name, "name")),
    "prctl",
    () => `Cannot set process name to ${JSON.stringify(name)}`,
  );
}

function dieWithParent(signal: number, parent: number): void {
  checkZero(
    processSymbols().prctl(PR_SET_PDEATHSIG, BigInt(signal)),
    "prctl",
    () => `Cannot ask for signal ${signal} at the parent's end`,
  );
  // It may have ended before the kernel knew of the wish.
  if (getppid() !== parent) kill(getpid(), signal);
}

/** Deno ignores SIGPIPE itself, so that a write that nobody reads is an error and not its end. */
const IGNORED_BY_DENO = SIGNAL_NUMBERS.SIGPIPE;

function resetSignals(): void {
  const libc = signalSymbols();
  const action = new BigUint64Array(SIGACTION.size / 8);
  for (const [name, signal] of Object.entries(SIGNAL_NUMBERS)) {
    if (signal === IGNORED_BY_DENO) continue;
    libc.sigaction(signal, null, action);
    if (action[0] !== BigInt(SIG_IGN)) continue;
    action.fill(BigInt(SIG_DFL));
    checkZero(
      libc.sigaction(signal, action, null),
      "sigaction",
      () => `Cannot give ${name} its default action`,
    );
  }
  checkErrorNumber(
    libc.pthread_sigmask(SIG_SETMASK, new Uint8Array(SIGSET.size), null),
    "pthread_sigmask",
    () => "Cannot set the signal mask",
  );
}

/** What a child tells of a call that has failed. */
interface Failure {
  readonly action: string;
  readonly errno: number;
  readonly syscall: string;
}

/**
 * The pipe through which a child tells its parent that it could not become what was asked for.
 *
 * One that has nothing to tell closes it, and so does one that dies: either way the parent reads the end.
 */
class StartReport {
  readonly #reader: number;
  readonly #writer: number;

  constructor() {
    [this.#reader, this.#writer] = pipe();
  }

  /** In the child: everything has gone well. */
  succeed(): void {
    close(this.#reader);
    close(this.#writer);
  }

  /** In the child: tells what has failed. */
  fail(error: unknown): void {
    const { message, errno, syscall } = error as PosixError;
    const [action] = message.split(`: ${syscall} failed with `);
    writeAll(this.#writer, JSON.stringify({ action, errno, syscall }));
  }

  /** In the parent, after the fork: the error, or `undefined` once all has gone well. Closes the pipe. */
  async read(): Promise<PosixError | undefined> {
    close(this.#writer);
    const { stream, descriptor } = openReadable(this.#reader);
    descriptor.keepFromChildren();
    let text = "";
    for await (const part of stream.pipeThrough(new TextDecoderStream())) {
      text += part;
    }
    if (text === "") return undefined;
    const { action, errno, syscall }: Failure = JSON.parse(text);
    return new PosixError(action, { errno, syscall });
  }

  /** In the parent, where there is no child: closes the pipe. */
  close(): void {
    close(this.#reader);
    close(this.#writer);
  }
}

/** A fork with all that was asked for: what is opened before it, and what both sides do right after it. */
export class PlannedFork {
  readonly #plan: ForkPlan;
  readonly #parent = getpid();
  readonly #stdio: ChildStdio;
  readonly #report: StartReport;
  readonly #closed: ClosedFds | undefined;

  /** Opens what it takes; what fails here leaves nothing behind. */
  constructor(plan: ForkPlan) {
    this.#plan = plan;
    this.#stdio = new ChildStdio(plan.stdio);
    try {
      this.#report = new StartReport();
    } catch (error) {
      this.#stdio.close();
      throw error;
    }
    this.#closed = plan.keptFds &&
      new ClosedFds([...plan.keptFds, ...this.#stdio.copies.values()]);
  }

  /** Forks. In the child all that was asked for is done when this gives 0; one for which it cannot be done ends. */
  fork(): number {
    let pid: number;
    try {
      pid = fork();
    } catch (error) {
      this.#stdio.close();
      this.#report.close();
      throw error;
    }
    if (pid === 0) this.#become();
    return pid;
  }

  #become(): void {
    try {
      setUpChild(this.#plan, this.#stdio, this.#closed, this.#parent);
    } catch (error) {
      this.#report.fail(error);
      _exit(1);
    }
    this.#report.succeed();
  }

  /** In the parent: gives the child when it has become what was asked for; reaps one that could not. */
  async attend(pid: number): Promise<ChildParts> {
    const { processGroup, newSession } = this.#plan;
    if (processGroup !== undefined && !newSession) {
      // The child does the same, and tells what goes wrong: whoever is first, it is done when either goes on.
      processSymbols().setpgid(pid, processGroup);
    }
    const follower = this.#follow(pid);
    const parts = new ChildParts(pid, follower, this.#stdio.connect());
    try {
      const failure = await this.#report.read();
      if (failure === undefined) return parts;
      throw failure;
    } catch (error) {
      follower.kill(SIGNAL_NUMBERS.SIGKILL);
      await follower.result;
      for (const stream of parts.streams) await stream.end();
      throw error;
    }
  }

  #follow(pid: number): Follower {
    try {
      return followChild(pid);
    } catch (error) {
      kill(pid, "SIGKILL");
      waitpid(pid);
      this.#stdio.close();
      this.#report.close();
      throw error;
    }
  }
}
