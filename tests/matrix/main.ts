/**
 * Runs the capability program under several versions of Deno, in both modes of V8: one line each, a table at the end.
 *
 * Run as `deno task test:matrix`, with versions as arguments to run under these alone; with `--fetch` they are only fetched.
 *
 * @module
 */

import { fromFileUrl } from "@std/path";
import { binaries, versions } from "./_binaries.ts";
import type { Report } from "./_report.ts";

const program = fromFileUrl(new URL("./_program.ts", import.meta.url));
const DEADLINE = 100_000;

const modes: Readonly<Record<string, string[]>> = {
  "default": [],
  "single-threaded": ["--v8-flags=--single-threaded"],
};

/** Runs the program; what it says about each capability. */
async function runProgram(deno: string, flags: string[]): Promise<Report[]> {
  const child = new Deno.Command(deno, {
    args: [
      "run",
      "--no-config",
      "--no-check",
      "--no-prompt",
      "--allow-all",
      "--unstable-kv",
      "--unstable-broadcast-channel",
      ...flags,
      program,
    ],
    cwd: "/",
    env: { NO_COLOR: "1" },
    // Its standard input is a pipe that stays open for as long as it runs.
    stdin: "piped",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const output = new Output(child.stdout);
  const errors = new Output(child.stderr);
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<string>((resolve) => {
    timer = setTimeout(
      () => resolve(`not over within ${DEADLINE / 1000} seconds`),
      DEADLINE,
    );
  });
  const end = Promise.all([child.status, output.ended, errors.ended])
    .then(([{ code, signal }]) => code === 0 ? "" : signal ?? `exit ${code}`);
  const failure = await Promise.race([end, late]);
  clearTimeout(timer);
  const reports = output.text.split("\n").slice(0, -1)
    .map((line): Report => JSON.parse(line));
  if (failure !== "") {
    const detail = `${failure}: ${errors.text}`;
    reports.push({ name: "the program's end", state: "failed", detail });
    try {
      child.kill("SIGKILL");
    } catch {
      // It has ended by itself, and has perhaps left a process behind that holds its output open.
    }
  }
  await child.stdin.close().catch(() => {});
  return reports;
}

/** What comes out of a program, as far as it has come. */
class Output {
  text = "";
  readonly ended: Promise<void>;

  constructor(stream: ReadableStream<Uint8Array<ArrayBuffer>>) {
    this.ended = this.#read(stream);
  }

  async #read(stream: ReadableStream<Uint8Array<ArrayBuffer>>): Promise<void> {
    for await (const text of stream.pipeThrough(new TextDecoderStream())) {
      this.text += text;
    }
  }
}

interface Run {
  readonly version: string;
  readonly mode: string;
  readonly reports: readonly Report[];
}

function named(run: Run, state: Report["state"]): readonly Report[] {
  return run.reports.filter((report) => report.state === state);
}

function showLine(run: Run, seconds: number): void {
  const failed = named(run, "failed");
  console.log(
    `${
      failed.length === 0 ? "ok    " : "FAILED"
    } ${run.version} ${run.mode}: ` +
      `${named(run, "ok").length} passed, ${failed.length} failed` +
      named(run, "absent").map(({ name }) => `, ${name} absent`).join("") +
      ` (${seconds.toFixed(1)}s)`,
  );
  for (const { name, detail } of failed) {
    console.log(`       ${name}: ${detail.replaceAll("\n", "\n         ")}`);
  }
}

/** Each capability that is not there everywhere, and the sums. */
function showTable(runs: readonly Run[]): void {
  const signs = { ok: ".", failed: "F", absent: "-" };
  const names = new Set(
    runs.flatMap(({ reports }) => reports.map(({ name }) => name)),
  );
  const width = Math.max(...[...names].map(({ length }) => length));
  console.log(`\n${names.size} capabilities; . passed, F failed, - absent`);
  const heads = runs.map(({ version, mode }) =>
    `${version}${mode === "default" ? "" : "s"}`.padStart(8)
  );
  console.log("".padEnd(width) + heads.join(""));
  for (const name of names) {
    const cells = runs.map(({ reports }) => {
      const report = reports.find((report) => report.name === name);
      return (report === undefined ? "?" : signs[report.state]).padStart(8);
    });
    console.log(name.padEnd(width) + cells.join(""));
  }
}

const fetchOnly = Deno.args.includes("--fetch");
const asked = Deno.args.filter((arg) => arg !== "--fetch");
const wanted = asked.length === 0 ? versions : asked;
const paths = await binaries(wanted).catch((error) => {
  console.log(`FAILED to fetch what is to be tried: ${error.message}`);
  console.log("0 passed, 1 failed");
  Deno.exit(1);
});
if (fetchOnly) Deno.exit();
const queue = wanted.flatMap((version) =>
  Object.entries(modes).map(([mode, flags]) => ({ version, mode, flags }))
);
const runs: Run[] = [];
/** Takes runs off the queue: two at a time are quicker than one, and put some strain on each other. */
async function work(): Promise<void> {
  for (let next; (next = queue.shift()) !== undefined;) {
    const { version, mode, flags } = next;
    const started = performance.now();
    const reports = await runProgram(paths.get(version)!, flags);
    const run = { version, mode, reports };
    runs.push(run);
    showLine(run, (performance.now() - started) / 1000);
  }
}
await Promise.all([work(), work()]);

const order = (run: Run) =>
  wanted.indexOf(run.version) * 2 + +(run.mode !== "default");
runs.sort((a, b) => order(a) - order(b));
showTable(runs);
const sum = (state: Report["state"]) =>
  runs.reduce((sum, run) => sum + named(run, state).length, 0);
console.log(`${sum("ok")} passed, ${sum("failed")} failed`);
// A program that was late is not waited for any more.
Deno.exit(sum("failed") === 0 ? 0 : 1);
