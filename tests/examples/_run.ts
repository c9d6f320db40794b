import { assertEquals } from "@std/assert";
import { fromFileUrl } from "@std/path";
import { spawn } from "../../exec/mod.ts";
import { close, pipe, poll, POLLIN, read } from "../../ipc/mod.ts";
import { PosixError } from "../../mod.ts";
import { type ChildProcess, killpg, SIGNALS } from "../../process/mod.ts";
import { decodeStatus, type WaitStatus } from "../../wait/mod.ts";
import { readText } from "../_helpers.ts";

/** Examples run as programs of their own, as a user would start them, but under `--allow-ffi` alone: by the library itself. */

/** An example that has ended. */
export interface ExampleResult {
  pid: number;
  stdout: string;
  stderr: string;
  /** The raw status word. */
  raw: number;
  status: WaitStatus;
}

/** Options for {@linkcode startExample}. */
export interface ExampleOptions {
  /** Variables on top of those of the test run. */
  env?: Record<string, string>;
  /** What it needs besides `--allow-ffi`, such as `--allow-net=127.0.0.1`. */
  permissions?: readonly string[];
  /** The descriptor that it reads its input from; there is none by default. */
  stdin?: number;
  /** How long the example may take from its start to its end, in milliseconds; 10 seconds by default. */
  deadline?: number;
}

/** Runs an example to its end, such as `wait-signal`; it fails if that does not come in time. */
export async function runExample(
  name: string,
  args: readonly string[] = [],
  options: ExampleOptions = {},
): Promise<ExampleResult> {
  await using example = startExample(name, args, options);
  return await example.finish();
}

/** As {@linkcode runExample}, and it must end with status 0 and without a complaint. */
export async function runCleanly(
  name: string,
  args: readonly string[] = [],
  options: ExampleOptions = {},
): Promise<ExampleResult> {
  const result = await runExample(name, args, options);
  assertEquals(result.stderr, "");
  assertEquals(result.raw, 0, result.stdout);
  return result;
}

/** Starts an example, for a test that signals it, or that runs two at once: `await using example = startExample("fifo-read", [path])`. */
export function startExample(
  name: string,
  args: readonly string[] = [],
  options: ExampleOptions = {},
): RunningExample {
  return new RunningExample(name, args, options);
}

/**
 * An example that was started. It leads a process group of its own, so that what it does to its group, or what is done to
 * the whole of it when time is up, does not reach the test run.
 */
export class RunningExample implements AsyncDisposable {
  readonly #name: string;
  readonly #deadline: number;
  readonly #stdout: Output;
  readonly #stderr: Output;
  readonly #child: ChildProcess;
  /** How it has ended, as a raw status word. */
  #raw: number | undefined;
  #finished = false;

  constructor(
    name: string,
    args: readonly string[],
    { env = {}, permissions = [], stdin, deadline = 10_000 }: ExampleOptions,
  ) {
    this.#name = name;
    this.#deadline = performance.now() + deadline;
    const [stdout, stdoutWriter] = pipe();
    const [stderr, stderrWriter] = pipe();
    this.#child = spawn(
      "/proc/self/exe",
      commandLine(name, args, permissions),
      {
        argv0: "deno",
        env: { NO_COLOR: "1", ...env },
        stdin: stdin ?? "null",
        stdout: stdoutWriter,
        stderr: stderrWriter,
        processGroup: 0,
      },
    );
    this.#child.status.then(({ code, signal, coreDumped }) =>
      this.#raw = signal === null
        ? code << 8
        : SIGNALS[signal] | Number(coreDumped) << 7
    );
    close(stdoutWriter);
    close(stderrWriter);
    this.#stdout = new Output(stdout);
    this.#stderr = new Output(stderr);
  }

  get pid(): number {
    return this.#child.pid;
  }

  /** What it has printed so far. */
  get stdout(): string {
    return this.#stdout.text();
  }

  /** What it has complained about so far. */
  get stderr(): string {
    return this.#stderr.text();
  }

  /** Waits until its output so far matches. */
  async until(pattern: RegExp): Promise<RegExpMatchArray> {
    let match: RegExpMatchArray | null = null;
    await this.#poll(
      () => (match = this.stdout.match(pattern)) !== null,
      `no ${pattern} in its output`,
    );
    return match!;
  }

  /** Waits until it has ended, and all who have inherited its output have. */
  async finish(): Promise<ExampleResult> {
    await this.#poll(
      () => [this.#stdout, this.#stderr].every((output) => output.ended()),
      "its output has not ended",
    );
    await this.#poll(() => this.#raw !== undefined, "it has not ended");
    this.#finished = true;
    const { pid, stdout, stderr } = this;
    const raw = this.#raw!;
    return { pid, stdout, stderr, raw, status: decodeStatus(raw) };
  }

  /** Ends what still runs of it, and closes its output. */
  async [Symbol.asyncDispose](): Promise<void> {
    if (!this.#finished) {
      this.#child.kill("SIGKILL");
      endGroup(this.pid);
      await this.#child.status;
    }
    this.#stdout.close();
    this.#stderr.close();
  }

  async #poll(condition: () => boolean, complaint: string): Promise<void> {
    while (!condition()) {
      if (performance.now() > this.#deadline) {
        throw new Error(
          `${this.#name}: ${complaint} in time\n` +
            `--- stdout ---\n${this.stdout}\n--- stderr ---\n${this.stderr}`,
        );
      }
      await new Promise((resolve) => setTimeout(resolve, 2));
    }
  }
}

/** The reading end of a pipe, and what has come out of it. */
class Output {
  readonly #fd: number;
  readonly #decoder = new TextDecoder();
  #text = "";
  #ended = false;

  constructor(fd: number) {
    this.#fd = fd;
  }

  text(): string {
    this.#drain();
    return this.#text;
  }

  ended(): boolean {
    this.#drain();
    return this.#ended;
  }

  close(): void {
    close(this.#fd);
    this.#ended = true;
  }

  #drain(): void {
    while (!this.#ended && isReadable(this.#fd)) {
      const bytes = read(this.#fd, 65_536);
      this.#ended = bytes.length === 0;
      this.#text += this.#decoder.decode(bytes, { stream: !this.#ended });
    }
  }
}

/** Whether a read would not wait: there is something, or the end. */
function isReadable(fd: number): boolean {
  return poll([{ fd, events: POLLIN }], 0).length > 0;
}

/** The arguments with which `deno task` runs Deno, in the V8 mode of the test run. */
function commandLine(
  name: string,
  args: readonly string[],
  permissions: readonly string[],
): string[] {
  const file = new URL(
    `../../examples/${name.replaceAll("-", "_")}.ts`,
    import.meta.url,
  );
  const v8Flags = readText("/proc/self/cmdline").split("\0")
    .filter((arg) => arg.startsWith("--v8-flags="));
  return [
    "run",
    "--quiet",
    "--no-check",
    "--allow-ffi",
    ...permissions,
    ...v8Flags,
    fromFileUrl(file),
    ...args,
  ];
}

/** Kills the members of a process group, if there are any. */
function endGroup(pgid: number): void {
  try {
    killpg(pgid, "SIGKILL");
  } catch (error) {
    if (!(error instanceof PosixError && error.code === "ESRCH")) throw error;
  }
}
