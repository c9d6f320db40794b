/**
 * What it costs to send 1 GB through a pipeline of three programs: the library, and bash.
 *
 * @module
 */

import { pipeline } from "../exec/mod.ts";
import { installed, running } from "./_programs.ts";
import { printTable, sideBySide } from "./_side_by_side.ts";
import { printTarget, ratio } from "./_targets.ts";

const TURNS = 5;
const BYTES = 1_000_000_000;
const SOURCE = ["head", "-c", String(BYTES), "/dev/zero"];
const SCRIPT = `${SOURCE.join(" ")} | cat | wc -c`;

const LIBRARY = "the library";
const BASH = "bash";

/** Measures and prints. */
export async function run(): Promise<void> {
  const rows = await sideBySide([
    { name: LIBRARY, by: LIBRARY, turn: library },
    running(BASH, installed(BASH, "bash", "-c", SCRIPT)),
  ], TURNS);
  const table = printTable("1 GB through three programs", "ms", rows, BASH);
  printTarget(
    table,
    "the library to bash",
    ratio(table, LIBRARY, BASH),
    { atMost: 1.05, unit: "×" },
  );
}

async function library(): Promise<number> {
  const started = performance.now();
  const { success } = await pipeline(SOURCE, ["cat"], ["wc", "-c"], {
    stdout: "null",
  }).status;
  if (!success) throw new Error("the pipeline has failed");
  return performance.now() - started;
}

if (import.meta.main) await run();
