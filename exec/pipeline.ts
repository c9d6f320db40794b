import { describe, wrongType } from "../ffi/_arguments.ts";
import { signalNumber } from "../ffi/_signals.ts";
import { descriptorSymbols } from "../ffi/_symbols.ts";
import { F_SETPIPE_SZ } from "../ffi/constants.ts";
import { close } from "../ipc/descriptors.ts";
import { pipe } from "../ipc/pipes.ts";
import { ChildFds } from "../process/_child_fds.ts";
import { ChildProcess, type ChildStatus } from "../process/child_process.ts";
import type { Signal } from "../process/signals.ts";
import { type Start, startChildren } from "./_start_child.ts";
import type {
  Command,
  PipelineOptions,
  PipelineOutput,
  PipelineStatus,
} from "./pipeline_options.ts";
import { type SpawnPlan, spawnPlan } from "./spawn.ts";
import type { SpawnOptions } from "./spawn_options.ts";

/** What belongs to the pipeline as a whole, and so to no command. */
const OPTION_NAMES: readonly string[] = [
  "stdin",
  "stdout",
  "signal",
  "timeout",
  "killGrace",
] satisfies (keyof PipelineOptions)[];

/** Checks the arguments of `pipeline`; gives a plan for each of its programs. Nothing has happened yet. */
function pipelinePlan(
  parts: readonly (readonly string[] | Command | PipelineOptions)[],
): SpawnPlan[] {
  const last = parts.at(-1);
  const options = isOptions(last) ? last : {};
  const commands = (isOptions(last) ? parts.slice(0, -1) : parts) as (
    readonly string[] | Command
  )[];
  if (commands.length === 0) {
    throw new TypeError(
      "'commands' must not be empty: there is nothing to start",
    );
  }
  const { stdin = "inherit", stdout = "piped", ...ending } = options;
  return commands.map((command, index) => {
    const name = `commands[${index}]`;
    const { file, args, own } = programOf(command, name);
    const all: SpawnOptions = {
      ...own,
      ...ending,
      // A pipe between programs is put in the place of "null" later.
      stdin: index === 0 ? stdin : "null",
      stdout: index === commands.length - 1 ? stdout : "null",
    };
    try {
      return spawnPlan(file, args, all);
    } catch (error) {
      if (error instanceof TypeError || error instanceof RangeError) {
        error.message = `${name}: ${error.message}`;
      }
      throw error;
    }
  });
}

function programOf(
  command: readonly string[] | Command,
  name: string,
): { file: string; args: readonly string[]; own: SpawnOptions } {
  if (Array.isArray(command)) {
    const [file, ...args] = command;
    if (file !== undefined) return { file, args, own: {} };
    throw new RangeError(
      `'${name}' must have a program as its first element: current value is []`,
    );
  }
  if (typeof command !== "object" || command === null) {
    throw wrongType(command, name, "an array of strings or a command");
  }
  const { file, args = [], ...own } = command as Command;
  if (file === undefined) {
    throw new TypeError(
      `'${name}' must have a 'file', or be the last argument with options of the pipeline alone (${
        OPTION_NAMES.join(", ")
      }): current value is ${describe(command)}`,
    );
  }
  const strange = Object.keys(own).find((key) => OPTION_NAMES.includes(key));
  if (strange !== undefined) {
    throw new TypeError(
      `'${name}' must not have '${strange}', which belongs in the options after the last command`,
    );
  }
  return { file, args, own };
}

function isOptions(part: unknown): part is PipelineOptions {
  return typeof part === "object" && part !== null && !Array.isArray(part) &&
    Object.keys(part).every((key) => OPTION_NAMES.includes(key));
}

/**
 * Programs that run as a pipeline; {@linkcode pipeline} makes it.
 *
 * @example A pipeline that is written to and read
 * ```ts
 * import { pipeline } from "@posix/process/exec";
 * import { assertEquals } from "@std/assert";
 *
 * await using shouting = pipeline(["cat"], ["tr", "a-z", "A-Z"], { stdin: "piped" });
 * const writer = shouting.stdin.getWriter();
 * await writer.write(new TextEncoder().encode("pipe\n"));
 * await writer.close();
 * assertEquals(await shouting.text(), "PIPE\n");
 * ```
 *
 * @see {@link https://man7.org/linux/man-pages/man7/pipe.7.html | pipe(7)}
 */
export class Pipeline implements AsyncDisposable {
  /** The programs, in order; for a `stderr` that is piped, for instance. */
  readonly children: readonly ChildProcess[];
  readonly #status: Promise<PipelineStatus>;

  /**
   * Not for users: {@linkcode pipeline} makes them.
   *
   * @ignore
   */
  constructor(children: readonly ChildProcess[]) {
    this.children = children;
    this.#status = Promise.all(children.map((child) => child.status))
      .then(statusOf);
    // A failure is for those who ask for the status; there may be none.
    this.#status.catch(() => {});
  }

  /**
   * How all of them have ended, as soon as they have; the same promise each time.
   *
   * Rejected with a `PosixError` of code `ECHILD` if somebody else has reaped one of them.
   */
  get status(): Promise<PipelineStatus> {
    return this.#status;
  }

  /**
   * What is written here, the first program reads; closing it is the end of that.
   *
   * @throws {TypeError} If the first program's standard input is not piped.
   */
  get stdin(): WritableStream<Uint8Array> {
    return this.children[0]!.stdin;
  }

  /**
   * What the last program writes.
   *
   * @throws {TypeError} If the last program's standard output is not piped.
   */
  get stdout(): ReadableStream<Uint8Array<ArrayBuffer>> {
    return this.children.at(-1)!.stdout;
  }

  /**
   * Waits for the end of all, and collects what the last program writes until then.
   *
   * @returns How they have ended, and the output.
   * @throws {TypeError} If standard output is not piped, or is locked, as somebody reads it already.
   *
   * @example Collecting output
   * ```ts
   * import { pipeline } from "@posix/process/exec";
   * import { assertEquals } from "@std/assert";
   *
   * const { stdout, code, failed } = await pipeline(["false"], ["echo", "end"]).output();
   * assertEquals(new TextDecoder().decode(stdout), "end\n");
   * assertEquals({ code, failed }, { code: 1, failed: [0] });
   * ```
   */
  async output(): Promise<PipelineOutput> {
    // Before anything is waited for: without a reader, the end may never come.
    const last = this.children.at(-1)!.output();
    const [{ stdout }, status] = await Promise.all([last, this.#status]);
    return { ...status, stdout };
  }

  /**
   * Waits for the end of all, and gives what the last program has written as text. It does not judge: how they have ended,
   * {@linkcode Pipeline.prototype.status | Pipeline.status} says.
   *
   * @returns The output, decoded as UTF-8.
   * @throws {TypeError} If standard output is not piped, or is locked.
   *
   * @example Reading text
   * ```ts
   * import { pipeline } from "@posix/process/exec";
   * import { assertEquals } from "@std/assert";
   *
   * assertEquals(await pipeline(["echo", "a,b"], ["tr", ",", " "]).text(), "a b\n");
   * ```
   */
  async text(): Promise<string> {
    return new TextDecoder().decode((await this.output()).stdout);
  }

  /**
   * What the last program writes, line by line as it comes, without the line feeds. A last line that has none counts as well.
   *
   * Whoever stops before the end closes the pipe: the last program is then ended by SIGPIPE when it next writes.
   *
   * @returns The lines, decoded as UTF-8.
   * @throws {TypeError} If standard output is not piped, or is locked.
   *
   * @example The first line of many
   * ```ts
   * import { pipeline } from "@posix/process/exec";
   * import { assertEquals } from "@std/assert";
   *
   * const numbers = pipeline(["seq", "1000000"], ["grep", "7"]);
   * for await (const line of numbers.lines()) {
   *   assertEquals(line, "7");
   *   break;
   * }
   * assertEquals((await numbers.status).failed, []);
   * ```
   */
  async *lines(): AsyncGenerator<string, void> {
    const decoder = new TextDecoder();
    let rest = "";
    for await (const chunk of this.stdout) {
      const lines = (rest + decoder.decode(chunk, { stream: true })).split(
        "\n",
      );
      rest = lines.pop()!;
      yield* lines;
    }
    rest += decoder.decode();
    if (rest !== "") yield rest;
  }

  /**
   * Sends a signal to each program that has not ended, to the last one first: none is to take the end of another for the end
   * of its input, and so for a success.
   *
   * @param signal Its name or number.
   * @throws {TypeError} If there is no signal of that name.
   * @throws {RangeError} If the number is no integer from 0 to 64.
   * @throws {PosixError} `EPERM` if a program runs as another user by now; the others have got the signal.
   *
   * @example Ending all
   * ```ts
   * import { pipeline } from "@posix/process/exec";
   * import { assertEquals } from "@std/assert";
   *
   * const idle = pipeline(["sleep", "60"], ["sleep", "60"], { stdout: "null" });
   * idle.kill("SIGKILL");
   * const { stages } = await idle.status;
   * assertEquals(stages.map(({ signal }) => signal), ["SIGKILL", "SIGKILL"]);
   * ```
   */
  kill(signal: Signal | number = "SIGTERM"): void {
    const number = signalNumber(signal);
    let failure: { error: unknown } | undefined;
    for (const child of this.children.toReversed()) {
      try {
        child.kill(number);
      } catch (error) {
        // One that has ended already needs no signal.
        if (!(error instanceof TypeError)) failure ??= { error };
      }
    }
    if (failure !== undefined) throw failure.error;
  }

  /**
   * Has the programs keep this process alive, as they do from the start.
   *
   * @throws {PosixError} `ENOTSUP` if this Deno does not let anybody say what keeps it alive.
   *
   * @example Waiting for it after all
   * ```ts
   * import { pipeline } from "@posix/process/exec";
   * import { assert } from "@std/assert";
   *
   * const quick = pipeline(["true"], ["true"], { stdout: "null" });
   * quick.unref();
   * quick.ref();
   * assert((await quick.status).success);
   * ```
   */
  ref(): void {
    for (const child of this.children) child.ref();
  }

  /**
   * Lets this process end though the programs run.
   *
   * @throws {PosixError} `ENOTSUP` if this Deno does not let anybody say what keeps it alive.
   *
   * @example A pipeline that outlives the program
   * ```ts
   * import { pipeline } from "@posix/process/exec";
   * import { assert } from "@std/assert";
   *
   * const background = pipeline(["true"], ["cat"], { stdin: "null", stdout: "null" });
   * background.unref();
   * // The program may end now, and they go on. This one waits, to leave nothing behind:
   * background.ref();
   * assert((await background.status).success);
   * ```
   */
  unref(): void {
    for (const child of this.children) child.unref();
  }

  /** Ends all that run, waits for their ends, and closes the streams, as `ChildProcess` does for each. Twice without harm. */
  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(
      this.children.map((child) => child[Symbol.asyncDispose]()),
    );
  }
}

function statusOf(stages: ChildStatus[]): PipelineStatus {
  const failed: number[] = [];
  const cutShort: number[] = [];
  stages.forEach(({ success, signal }, index) => {
    if (success) return;
    if (signal === "SIGPIPE") cutShort.push(index);
    else failed.push(index);
  });
  const decisive = stages.findLast(({ success }) => !success);
  return {
    success: decisive === undefined,
    code: decisive?.code ?? 0,
    signal: decisive?.signal ?? null,
    failed,
    cutShort,
    timedOut: stages.some(({ timedOut }) => timedOut),
    stages,
  };
}

/** Four times the usual: more gains nothing, and all pipes of a user together are limited. */
const PIPE_SIZE = 0x40000;

/**
 * `pipe2`, `vfork` and `execve` for each: starts programs of which each reads what the one before it writes, as `a | b | c` does in a
 * shell.
 *
 * Between them are plain kernel pipes, of 256 KiB where the system grants that: their bytes never come to this
 * process. What a shell would expand, quote or split is none of it: each program is an array of its name and its
 * arguments, or a {@linkcode Command} with options of its own. After the last of them there can be options for the
 * pipeline as a whole; an object without `file` is taken for those.
 *
 * The first program reads this process's standard input, and what the last one writes is to be read here, unless the options
 * say otherwise. All programs are started by {@linkcode spawn}, and what that says holds for each. If one of them cannot be
 * started, those that run already are killed and reaped before the error is thrown.
 *
 * @param commands The programs in order, and then, if there are any, the options.
 * @returns The running pipeline.
 * @throws {PosixError} What {@linkcode spawn} throws; nothing is left running then.
 * @throws {TypeError} If there is no command, or one has an option that belongs to the pipeline, or a wrong type somewhere.
 * @throws {RangeError} If a command is an empty array, or a number is out of range.
 *
 * @example Counting words
 * ```ts
 * import { pipeline } from "@posix/process/exec";
 * import { assertEquals } from "@std/assert";
 *
 * const words = pipeline(["printf", "b\\na\\nb\\n"], ["sort"], ["uniq", "-c"], { stdin: "null" });
 * assertEquals((await words.text()).split(/\s+/), ["", "1", "a", "2", "b", ""]);
 * assertEquals((await words.status).success, true);
 * ```
 *
 * @see {@link https://man7.org/linux/man-pages/man7/pipe.7.html | pipe(7)}
 */
export function pipeline(
  ...commands:
    | (readonly string[] | Command)[]
    | [...(readonly string[] | Command)[], PipelineOptions]
): Pipeline {
  const plans = pipelinePlan(commands);
  const { ending } = plans[0]!;
  ending.signal?.throwIfAborted();
  const between: [reader: number, writer: number][] = [];
  const starts: Start[] = [];
  try {
    for (let i = 1; i < plans.length; i++) between.push(roomyPipe());
    for (const [index, plan] of plans.entries()) {
      starts.push({
        launch: plan.launch,
        fds: new ChildFds(
          wire(plan, between[index - 1]?.[0], between[index]?.[1]),
        ),
      });
    }
  } catch (error) {
    for (const { fds } of starts) fds.close();
    for (const fd of between.flat()) close(fd);
    throw error;
  }
  try {
    const parts = startChildren(starts);
    return new Pipeline(
      parts.map((part) => new ChildProcess(part, ending)),
    );
  } finally {
    for (const fd of between.flat()) close(fd);
  }
}

/** A pipe with more room than usual, if the system grants it: then programs wait less often for each other. */
function roomyPipe(): [number, number] {
  const ends = pipe();
  descriptorSymbols().fcntl(ends[1], F_SETPIPE_SZ, PIPE_SIZE);
  return ends;
}

/** The descriptors of a program, with the pipes on its two sides in place. */
function wire(
  { fds }: SpawnPlan,
  reader: number | undefined,
  writer: number | undefined,
): SpawnPlan["fds"] {
  return fds.map(([target, source]) => {
    if (target === 0 && reader !== undefined) return [target, reader];
    if (target === 1 && writer !== undefined) return [target, writer];
    return [target, source];
  });
}
