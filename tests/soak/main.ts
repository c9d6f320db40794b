/**
 * Thousands of forks, with a warm heap and both sides busy, in both modes of V8; big heaps, killed children, and what is
 * left of it all in the parent. Prints figures, and at the end how many passed and failed.
 *
 * Run as `deno task soak [--forks 10000] [--heap 400]`, or `deno task soak --short` for half a minute's worth.
 *
 * @module
 */

import { fromFileUrl } from "@std/path";
import type { Outcome } from "./_outcome.ts";

const program = fromFileUrl(new URL("./_program.ts", import.meta.url));

/** The number after an option of that name. */
function option(name: string, otherwise: number): number {
  const index = Deno.args.indexOf(`--${name}`);
  if (index === -1) return otherwise;
  const value = Number(Deno.args[index + 1]);
  if (Number.isInteger(value) && value > 0) return value;
  throw new RangeError(`--${name} must be a whole number above 0`);
}

const short = Deno.args.includes("--short");
const forks = option("forks", short ? 500 : 10_000);
const heap = option("heap", short ? 100 : 400);
const heapForks = short ? 10 : 200;
const kills = short ? 50 : 500;

interface Job {
  readonly name: string;
  readonly flags: string;
  readonly args: readonly (string | number)[];
}

const modes = { "default": "", "single-threaded": "--single-threaded" };
const jobs: Job[] = Object.entries(modes).flatMap(([mode, flags]) => [
  {
    name: `${mode}: ${forks} forks, 8 at once, both sides busy`,
    flags,
    args: ["forks", forks],
  },
  {
    name: `${mode}: ${heapForks} forks of a heap of ${heap} MB`,
    flags,
    args: ["heap", heapForks, heap],
  },
  { name: `${mode}: ${kills} kills`, flags, args: ["kills", kills] },
  {
    name: `${mode}: the parent after ${short ? 100 : 1000} forks`,
    // V8 lets its room for young objects grow while there are many, up to a limit, which says nothing about what stays.
    flags: `${flags},--max-semi-space-size=1`,
    args: ["parent", short ? 100 : 1000, short ? 0 : 11_000],
  },
]);
jobs.push({
  name: `under incremental stress: ${short ? 20 : 200} forks`,
  flags: "--stress-incremental-marking",
  args: ["forks", short ? 20 : 200],
});

/** Runs a job in a process of its own; what is printed there on standard error is shown as it comes. */
async function run({ flags, args }: Job): Promise<Outcome> {
  const v8Flags = ["--expose-gc", ...flags.split(",")]
    .filter((flag) => flag !== "");
  const { code, signal, stdout } = await new Deno.Command(Deno.execPath(), {
    args: [
      "run",
      "--no-check",
      "--allow-all",
      `--v8-flags=${v8Flags.join(",")}`,
      program,
      ...args.map(String),
    ],
    stdin: "null",
    stderr: "inherit",
  }).output();
  if (code !== 0) {
    return { passed: false, figures: `ended with ${signal ?? code}` };
  }
  return JSON.parse(new TextDecoder().decode(stdout));
}

let failed = 0;
const queue = [...jobs];
/** Takes jobs off the queue: two at a time, so that neither has the machine for itself. */
async function work(): Promise<void> {
  for (let job; (job = queue.shift()) !== undefined;) {
    const started = performance.now();
    const { passed, figures } = await run(job);
    const seconds = ((performance.now() - started) / 1000).toFixed(1);
    if (!passed) failed++;
    console.log(
      `${passed ? "ok    " : "FAILED"} ${job.name}: ${figures} (${seconds}s)`,
    );
  }
}
await Promise.all([work(), work()]);
console.log(`${jobs.length - failed} passed, ${failed} failed`);
Deno.exitCode = failed === 0 ? 0 : 1;
