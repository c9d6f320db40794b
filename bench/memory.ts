/**
 * What forked children cost in memory: one that does nothing, and ten that work with a table which was there before; the library,
 * and Python's `os.fork`. The figures are the kernel's, from `/proc/PID/smaps_rollup`.
 *
 * @module
 */

import { Agent } from "./_agent.ts";
import { inDeno, inPython } from "./_programs.ts";
import { printTable, rowsOf, sideBySide, takeTurns } from "./_side_by_side.ts";
import { figure, printTarget } from "./_targets.ts";

const TURNS = 5;
/** The table, in MB. */
const SIZE = 200;

const LIBRARY = "the library";
const IN_PYTHON = "Python";

const deno = inDeno("_memory_program.ts", "-A", "--v8-flags=--expose-gc");
const python = inPython("memory.py");

/** Measures and prints. */
export async function run(): Promise<void> {
  await measureIdle();
  await measureWorkers();
}

async function measureIdle(): Promise<void> {
  await using library = await Agent.start(deno, 0);
  await using inPython = await Agent.start(python, 0);
  const megabytes = (answer: string) => Number(answer) / 1e6;
  const rows = await sideBySide([
    library.peer(LIBRARY, "idle", megabytes),
    inPython.peer(IN_PYTHON, "idle", megabytes),
  ], TURNS);
  const title = "A forked child that does nothing: what it has for itself";
  const table = printTable(title, "MB", rows, IN_PYTHON);
  const limit = { atMost: 4, unit: "MB" };
  printTarget(table, "its Private_Dirty", figure(table, LIBRARY), limit);
}

/** What an agent answers, in bytes. */
interface Answer {
  table: number;
  /** The proportional set sizes of the workers, and with their parent's. */
  workers: number;
  all: number;
}

async function measureWorkers(): Promise<void> {
  await using library = await Agent.start(deno, SIZE);
  await using inPython = await Agent.start(python, SIZE);
  const read = (answer: string): Answer => JSON.parse(answer);
  const peers = [
    library.peer(LIBRARY, "workers", read),
    inPython.peer(IN_PYTHON, "workers", read),
  ];
  const answers = await takeTurns(peers, TURNS);
  const title = `Ten workers that have used a table of ${SIZE} MB`;
  const workers = printTable(
    `${title}: together`,
    "× the table",
    rowsOf(peers, answers, ({ workers, table }) => workers / table),
    IN_PYTHON,
  );
  const limit = { atMost: 1.3, unit: "×" };
  const what = "their proportional set sizes to the table";
  printTarget(workers, what, figure(workers, LIBRARY), limit);
  printTable(
    `${title}: with their parent`,
    "× the table",
    rowsOf(peers, answers, ({ all, table }) => all / table),
    IN_PYTHON,
  );
}

if (import.meta.main) await run();
