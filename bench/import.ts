/**
 * What importing the library costs on top of an empty program, and what it opens.
 *
 * @module
 */

import { fromFileUrl } from "@std/path";
import {
  compare,
  difference,
  printTable,
  printTarget,
  sideBySide,
} from "./_side_by_side.ts";
import { numberFrom } from "./_compile.ts";

const TURNS = 25;

const EMPTY = "an empty program";
const IMPORTING = "import of mod.ts";

/** Measures and prints. */
export async function run(): Promise<void> {
  const rows = await sideBySide([
    { name: EMPTY, turn: () => milliseconds("_empty_program.ts") },
    { name: IMPORTING, turn: () => milliseconds("_static_import_program.ts") },
  ], TURNS);
  printTable("Importing: the whole run of a program", "ms", rows, EMPTY);
  printTarget(
    "import on top of an empty program",
    compare(rows, IMPORTING, EMPTY, difference),
    20,
    "ms",
  );
  const opened = await numberFrom(
    Deno.execPath(),
    ...flags("_import_program.ts"),
  );
  console.log(
    `  target: the import opens nothing: ${
      opened === 0 ? "met" : `MISSED, it opens ${opened} libraries`
    }`,
  );
}

function flags(program: string): string[] {
  const path = fromFileUrl(new URL(program, import.meta.url));
  // With no permission at all: an import that touched anything would fail.
  return ["run", "--no-prompt", "--quiet", path];
}

async function milliseconds(program: string): Promise<number> {
  const command = new Deno.Command(Deno.execPath(), { args: flags(program) });
  const started = performance.now();
  const { success } = await command.output();
  if (!success) throw new Error(`${program} failed`);
  return performance.now() - started;
}

if (import.meta.main) await run();
