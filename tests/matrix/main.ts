/**
 * Runs the capability program under several versions of Deno, in both modes of V8: one line each, a table at the end.
 *
 * Run as `deno task test:matrix`, with versions as arguments to run under these alone.
 *
 * @module
 */

import { fromFileUrl } from "@std/path";
import { binary, versions } from "./_binaries.ts";
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
    stdin: "piped",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const timer = setTimeout(() => {
    // One that ended by itself has left a process behind that holds its output open.
    try {
      child.kill("SIGKILL");
    } catch (error) {
      if (!(error instanceof TypeError)) throw error;
    }
    Deno.exitCode = 1;
    console.log(`${deno} ${flags.join(" ")} is not over within its deadline`);
  }, DEADLINE);
  // Its standard input is a pipe that stays open for as long as it runs.
  const { code, signal, stdout, stderr } = await child.output();
  clearTimeout(timer);
  await child.stdin.close().catch(() => {});
  const decoder = new TextDecoder();
  const reports = decoder.decode(stdout).trim().split("\n")
    .filter((line) => line !== "").map((line): Report => JSON.parse(line));
  if (code !== 0) {
    const detail = `${signal ?? `exit ${code}`}: ${decoder.decode(stderr)}`;
    reports.push({ name: "the program's end", state: "failed", detail });
  }
  return reports;
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

const wanted = Deno.args.length === 0 ? versions : Deno.args;
const binaries = await Promise.all(
  wanted.map(async (version) => [version, await binary(version)] as const),
);
const queue = binaries.flatMap(([version, deno]) =>
  Object.entries(modes).map(([mode, flags]) => ({ version, deno, mode, flags }))
);
const runs: Run[] = [];
/** Takes runs off the queue: two at a time are quicker than one, and put some strain on each other. */
async function work(): Promise<void> {
  for (let next; (next = queue.shift()) !== undefined;) {
    const { version, deno, mode, flags } = next;
    const started = performance.now();
    const run = { version, mode, reports: await runProgram(deno, flags) };
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
Deno.exitCode = sum("failed") === 0 ? 0 : 1;
