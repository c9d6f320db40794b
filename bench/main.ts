/**
 * Measures the library side by side with its peers: `deno task bench` for all cases, `deno task bench fork call` for some;
 * with `--json`, the figures alone, all samples included. At the end, each target with its table, its figure and its limit.
 *
 * What is counted and not timed is elsewhere: thousands of forks, children that are killed, and what that leaves in the parent
 * in `deno task soak`; pseudo-terminals, queues and locks in `soak:ptys`, `soak:queue` and `soak:locks`; that 200 programs at
 * once take no thread each in `tests/exec/spawn_test.ts`; that all items of killed pool workers are accounted for in
 * `tests/process/pool_test.ts`; what a forked child can do under several versions of Deno in `deno task test:matrix`.
 *
 * @module
 */

import { availableParallelism, cpus, loadavg, release } from "node:os";
import { type Table, tables } from "./_side_by_side.ts";
import { printTargets, targets } from "./_targets.ts";

const cases: Record<string, () => Promise<{ run(): Promise<void> }>> = {
  call: () => import("./call.ts"),
  import: () => import("./import.ts"),
  pipe: () => import("./pipe.ts"),
  fork: () => import("./fork.ts"),
  memory: () => import("./memory.ts"),
  spawn: () => import("./spawn.ts"),
  pipeline: () => import("./pipeline.ts"),
  pty: () => import("./pty.ts"),
  pool: () => import("./pool.ts"),
  timers: () => import("./timers.ts"),
  list_processes: () => import("./list_processes.ts"),
  mutex: () => import("./mutex.ts"),
  queue: () => import("./queue.ts"),
};

const json = Deno.args.includes("--json");
const asked = Deno.args.filter((arg) => arg !== "--json");
const names = asked.length === 0 ? Object.keys(cases) : asked;
for (const name of names) {
  if (Object.hasOwn(cases, name)) continue;
  console.error(
    `No case "${name}": there are ${Object.keys(cases).join(", ")}`,
  );
  Deno.exit(1);
}

const machine =
  `Deno ${Deno.version.deno}, Linux ${release()}, ${availableParallelism()} × ${
    cpus()[0]?.model ?? Deno.build.arch
  }, load ${loadavg()[0]!.toFixed(1)} at the start`;
// The tables go where they are not in the way of the figures.
if (json) console.log = console.error;
console.log(machine);
const measured: { name: string; tables: Table[] }[] = [];
for (const name of names) {
  const { run } = await cases[name]!();
  await run();
  measured.push({ name, tables: tables.splice(0) });
}
printTargets();
if (json) {
  const text = JSON.stringify({ machine, cases: measured, targets }, null, 2);
  await Deno.stdout.write(new TextEncoder().encode(`${text}\n`));
}
