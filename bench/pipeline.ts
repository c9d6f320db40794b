/**
 * What it costs to send 1 GB through a pipeline of three programs: the library, and bash.
 *
 * @module
 */

import { pipeline } from "../exec/mod.ts";
import {
  compare,
  printTable,
  printTarget,
  ratio,
  sideBySide,
} from "./_side_by_side.ts";

const TURNS = 5;
const BYTES = 1_000_000_000;
const SOURCE = ["head", "-c", String(BYTES), "/dev/zero"];

/** Measures and prints. */
export async function run(): Promise<void> {
  const rows = await sideBySide([
    { name: "the library", turn: () => time(library) },
    { name: "bash", turn: () => time(bash) },
  ], TURNS);
  printTable("1 GB through three programs", "ms", rows, "bash");
  printTarget(
    "the library to bash",
    compare(rows, "the library", "bash", ratio),
    1.05,
    "×",
  );
}

async function library(): Promise<void> {
  const { success } = await pipeline(SOURCE, ["cat"], ["wc", "-c"], {
    stdout: "null",
  }).status;
  if (!success) throw new Error("the pipeline has failed");
}

async function bash(): Promise<void> {
  const script = `${SOURCE.join(" ")} | cat | wc -c`;
  const { success } = await new Deno.Command("bash", {
    args: ["-c", script],
    stdout: "null",
  }).output();
  if (!success) throw new Error("bash has failed");
}

async function time(body: () => Promise<void>): Promise<number> {
  const started = performance.now();
  await body();
  return performance.now() - started;
}

if (import.meta.main) await run();
