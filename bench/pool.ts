/**
 * What a pool of forked workers is worth: many tiny items beside Python's, real work beside one process, and how soon the
 * first result is there where the heap is big.
 *
 * @module
 */

import { Agent } from "./_agent.ts";
import { inDeno, inPython } from "./_programs.ts";
import { printTable, sideBySide } from "./_side_by_side.ts";
import { figure, printTarget, ratio, speed } from "./_targets.ts";

const TURNS = 7;
const WORKERS = 2;

const LIBRARY = "the library";
const ALONE = "one process";
const IN_PYTHON = "Python, its best chunk size";

/** Measures and prints. */
export async function run(): Promise<void> {
  await using deno = await Agent.start(
    inDeno("_pool_program.ts", "-A"),
    WORKERS,
  );
  {
    await using python = await Agent.start(inPython("pool.py"), WORKERS);
    const rows = await sideBySide([
      deno.peer(LIBRARY, "tiny", Number),
      python.peer(IN_PYTHON, "tiny", Number),
    ], TURNS);
    const title = "Pool.map: 1,000,000 tiny items";
    const table = printTable(title, "ms", rows, IN_PYTHON);
    printTarget(
      table,
      "the library to Python",
      ratio(table, LIBRARY, IN_PYTHON),
      { atMost: 1, unit: "×" },
    );
  }
  const real = printTable(
    `Pool.map: real work, ${WORKERS} workers`,
    "ms",
    await sideBySide([
      deno.peer(LIBRARY, "work", Number),
      { ...deno.peer(ALONE, "alone", Number), by: ALONE },
    ], TURNS),
    ALONE,
  );
  printTarget(
    real,
    "times as fast as one process",
    speed(real, LIBRARY, ALONE),
    { atLeast: 1.8, unit: "×" },
  );
  const first = printTable(
    "From new Pool() to its first result: 4 workers, 200 MB of heap",
    "ms",
    await sideBySide([deno.peer(LIBRARY, "first", Number)], TURNS),
    LIBRARY,
  );
  printTarget(
    first,
    "the first result",
    figure(first, LIBRARY),
    { atMost: 100, unit: "ms" },
  );
}

if (import.meta.main) await run();
