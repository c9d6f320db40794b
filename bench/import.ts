/**
 * What importing the library costs on top of an empty program, and what it opens.
 *
 * @module
 */

import { inDeno, outputOf, running } from "./_programs.ts";
import { printTable, sideBySide } from "./_side_by_side.ts";
import { difference, once, printTarget } from "./_targets.ts";

const TURNS = 25;

const EMPTY = "an empty program";
const IMPORTING = "import of mod.ts";

// With no permission at all: an import that touched anything would fail.
const FLAG = "--no-prompt";

/** Measures and prints. */
export async function run(): Promise<void> {
  const empty = { ...inDeno("_empty_program.ts", FLAG), by: EMPTY };
  const importing = inDeno("_static_import_program.ts", FLAG);
  const title = "Importing: the whole run of a program";
  const rows = await sideBySide(
    [running(EMPTY, empty), running(IMPORTING, importing)],
    TURNS,
  );
  const table = printTable(title, "ms", rows, EMPTY);
  printTarget(
    table,
    "import on top of an empty program",
    difference(table, IMPORTING, EMPTY),
    { atMost: 20, unit: "ms" },
  );
  const opened = Number(await outputOf(inDeno("_import_program.ts", FLAG)));
  printTarget(
    table,
    "what the import opens",
    once(opened),
    { atMost: 0, unit: "libraries" },
  );
}

if (import.meta.main) await run();
