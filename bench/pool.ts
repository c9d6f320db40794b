/**
 * What a pool of forked workers is worth: many tiny items beside Python's, real work beside one process, and how soon the
 * first result is there where the heap is big.
 *
 * @module
 */

import { existsSync } from "node:fs";
import { fromFileUrl, join } from "@std/path";
import { Agent } from "./_agent.ts";
import {
  compare,
  type Missing,
  type Peer,
  printTable,
  printTarget,
  ratio,
  sideBySide,
} from "./_side_by_side.ts";

const TURNS = 7;
const WORKERS = 2;

const LIBRARY = "the library";
const ALONE = "one process";
const IN_PYTHON = "Python, its best chunk size";

/** Measures and prints. */
export async function run(): Promise<void> {
  await using deno = await Agent.start([
    Deno.execPath(),
    ...["run", "-A", "--quiet"],
    here("_pool_program.ts"),
    String(WORKERS),
  ]);
  const python = isThere("python3")
    ? await Agent.start(["python3", here("pool.py"), String(WORKERS)])
    : undefined;
  const inPython: Peer | Missing = python === undefined
    ? { name: IN_PYTHON, missing: "python3" }
    : { name: IN_PYTHON, turn: async () => Number(await python.ask("tiny")) };
  const turn = (what: string) => async () => Number(await deno.ask(what));

  const tiny = await sideBySide(
    [{ name: LIBRARY, turn: turn("tiny") }, inPython],
    TURNS,
  );
  printTable("Pool.map: 1,000,000 tiny items", "ms", tiny, IN_PYTHON);
  printTarget(
    "the library to Python, tiny items",
    compare(tiny, LIBRARY, IN_PYTHON, ratio),
    1,
    "×",
  );
  await python?.[Symbol.asyncDispose]();

  const real = await sideBySide([
    { name: LIBRARY, turn: turn("work") },
    { name: ALONE, turn: turn("alone") },
  ], TURNS);
  printTable(`Pool.map: real work, ${WORKERS} workers`, "ms", real, ALONE);
  printTarget(
    `the share of the time of one process (1 / 1.8), ${WORKERS} workers`,
    compare(real, LIBRARY, ALONE, ratio),
    1 / 1.8,
    "×",
  );

  const first = await sideBySide(
    [{ name: LIBRARY, turn: turn("first") }],
    TURNS,
  );
  const title =
    "From new Pool() to its first result: 4 workers, 200 MB of heap";
  printTable(title, "ms", first, LIBRARY);
  printTarget(
    "the first result",
    compare(first, LIBRARY, LIBRARY, (value) => value),
    100,
    "ms",
  );
}

function here(file: string): string {
  return fromFileUrl(new URL(file, import.meta.url));
}

function isThere(program: string): boolean {
  const directories = (Deno.env.get("PATH") ?? "").split(":");
  return directories.some((directory) => existsSync(join(directory, program)));
}

if (import.meta.main) await run();
