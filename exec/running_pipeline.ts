import { signalNumber } from "../ffi/_signals.ts";
import type { ChildProcess, ChildStatus } from "../process/child_process.ts";
import type { Signal } from "../process/signals.ts";
import type { PipelineOutput, PipelineStatus } from "./pipeline_options.ts";

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
