/**
 * What a list of all processes costs while there are 300: the library, in a program that has been running for a while and
 * in a new one, and `ps`. The library gives more columns than `ps` is asked for: users, times, memory.
 *
 * @module
 */

import { fromFileUrl } from "@std/path";
import { listProcesses, processTree } from "../process/mod.ts";
import { numberFrom } from "./_compile.ts";
import {
  compare,
  printTable,
  printTarget,
  ratio,
  sideBySide,
} from "./_side_by_side.ts";

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
  const program = fromFileUrl(new URL("_list_program.ts", import.meta.url));
  const flags = ["run", "--allow-ffi", "--quiet", program];
  const rows = await sideBySide([
    { name: PS, turn: ps },
    { name: WARM, turn: () => milliseconds(listProcesses) },
    { name: TREE, turn: () => milliseconds(processTree) },
    { name: COLD, turn: () => numberFrom(Deno.execPath(), ...flags) },
  ], TURNS);
  printTable(
    `A list of ${listProcesses().length} processes`,
    "ms",
    rows,
    PS,
  );
  const comparison = compare(rows, WARM, PS, ratio);
  printTarget("listProcesses() to the whole of ps", comparison, 1.5, "×");
}

async function ps(): Promise<number> {
  const command = new Deno.Command("ps", {
    args: ["-e", "-o", "pid,ppid,stat,args"],
  });
  const started = performance.now();
  const { success } = await command.output();
  if (!success) throw new Error("ps failed");
  return performance.now() - started;
}

function milliseconds(call: () => unknown): number {
  const started = performance.now();
  call();
  return performance.now() - started;
}

if (import.meta.main) await run();
