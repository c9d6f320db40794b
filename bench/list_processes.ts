/**
 * What a list of all processes costs while there are 300: the library, in a program that has been running for a while and
 * in a new one, and `ps`. The library gives more columns than `ps` is asked for: users, times, memory.
 *
 * @module
 */

import { listProcesses, processTree } from "../process/mod.ts";
import { inDeno, installed, printing, running } from "./_programs.ts";
import { printTable, sideBySide } from "./_side_by_side.ts";
import { printTarget, ratio } from "./_targets.ts";

const TURNS = 21;
const PROCESSES = 300;

const PS = "ps -e -o pid,ppid,stat,args, the whole program";
const WARM = "listProcesses()";
const TREE = "processTree()";
const COLD = "listProcesses(), the first call of a program";

/** Measures and prints. */
export async function run(): Promise<void> {
  const missing = Math.max(0, PROCESSES - listProcesses().length);
  const sleepers = Array.from({ length: missing }, sleeper);
  try {
    await measure();
  } finally {
    for (const child of sleepers) child.kill("SIGKILL");
    await Promise.all(sleepers.map((child) => child.status));
  }
}

function sleeper(): Deno.ChildProcess {
  return new Deno.Command("sleep", { args: ["600"], stdin: "null" }).spawn();
}

async function measure(): Promise<void> {
  const by = "the library";
  const ps = installed("ps", "ps", "-e", "-o", "pid,ppid,stat,args");
  const program = inDeno("_list_program.ts", "--allow-ffi");
  const rows = await sideBySide([
    running(PS, ps),
    { name: WARM, by, turn: () => milliseconds(listProcesses) },
    { name: TREE, by, turn: () => milliseconds(processTree) },
    printing(COLD, program),
  ], TURNS);
  const title = `A list of ${listProcesses().length} processes`;
  const table = printTable(title, "ms", rows, PS);
  printTarget(
    table,
    "listProcesses() to the whole of ps",
    ratio(table, WARM, PS),
    { atMost: 1.5, unit: "×" },
  );
}

function milliseconds(call: () => unknown): number {
  const started = performance.now();
  call();
  return performance.now() - started;
}

if (import.meta.main) await run();
