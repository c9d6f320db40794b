/**
 * What it costs to start a program and to learn that it has ended: the library, `Deno.Command`, C's `posix_spawn` + `waitpid`,
 * Python's `subprocess`, Node's `child_process`, in small processes and in such with a big heap; the time from a kill to the
 * reaped child; and what thousands of programs leave behind.
 *
 * @module
 */

import { Agent } from "./_agent.ts";
import {
  inDeno,
  inNode,
  inPython,
  type Program,
  Workshop,
} from "./_programs.ts";
import { median, printTable, sideBySide } from "./_side_by_side.ts";
import { once, printTarget, ratio } from "./_targets.ts";

/** Sizes in MiB. */
const SIZES = [0, 256];
const TURNS = 15;
const ROUNDS = 40;
/**
 * How many are started before the first turn: V8 compiles what runs often, and is through with what starts a program after some 600,
 * with what kills one after some 1500 (`--trace-opt`).
 */
const WARM_UP = 2000;
/** Node takes longer, and is as steady with less. */
const NODE_ROUNDS = 5;
const MANY = 5000;

const LIBRARY = "the library";
const YOUNG_LIBRARY = "the library, its first 600";
const COMMAND = "Deno.Command";
const IN_C = "C";
const IN_PYTHON = "Python";
const IN_NODE = "Node, spawn";
const SYNC_IN_NODE = "Node, spawnSync";

const LIBRARY_PROGRAM = inDeno(
  "_spawn_program.ts",
  "-A",
  "--v8-flags=--expose-gc",
);

/** Measures and prints. */
export async function run(): Promise<void> {
  using workshop = new Workshop();
  const inC = await workshop.compile("spawn.c", "spawn");
  for (const size of SIZES) {
    await measure(size, inC);
    await measureOthers(size, inC);
  }
  await measureLeft();
}

/**
 * The library and those that it is held against, with no others beside them: where there are several big ones, where its memory
 * lies decides as much as what is done, by some 40 µs on a machine that is a guest itself.
 */
async function measure(mib: number, program: Program): Promise<void> {
  const kib = mib * 1024;
  await using deno = await Agent.start(LIBRARY_PROGRAM, kib);
  await using c = await Agent.start(program, kib);
  for (const kind of ["library", "command", "kill"]) {
    await deno.ask(`${kind} ${WARM_UP}`);
  }
  const starts = printTable(
    `/bin/true from its start to its status: ${sizeOf(mib)}`,
    "µs",
    await sideBySide([
      deno.peer(LIBRARY, `library ${ROUNDS}`, read),
      { ...deno.peer(COMMAND, `command ${ROUNDS}`, read), by: "Deno" },
      c.peer(IN_C, `${ROUNDS}`, read),
    ], TURNS),
    IN_C,
  );
  const what = "the library to C";
  printTarget(starts, what, ratio(starts, LIBRARY, IN_C), {
    atMost: 1.15,
    unit: "×",
  });
  if (mib !== 0) return;
  const kills = printTable(
    "From SIGKILL to the status",
    "µs",
    await sideBySide([
      deno.peer(LIBRARY, `kill ${ROUNDS}`, read),
      c.peer(IN_C, `kill ${ROUNDS}`, read),
    ], TURNS),
    IN_C,
  );
  printTarget(kills, what, ratio(kills, LIBRARY, IN_C), {
    atMost: 1.5,
    unit: "×",
  });
}

/** Others, and the library before it is warm. */
async function measureOthers(mib: number, program: Program): Promise<void> {
  const kib = mib * 1024;
  await using young = await Agent.start(LIBRARY_PROGRAM, kib);
  await using c = await Agent.start(program, kib);
  await using python = await Agent.start(inPython("spawn.py"), kib);
  await using node = await Agent.start(inNode("spawn.mjs"), kib);
  printTable(
    `/bin/true from its start to its status: ${sizeOf(mib)}, others`,
    "µs",
    await sideBySide([
      young.peer(YOUNG_LIBRARY, `library ${ROUNDS}`, read),
      c.peer(IN_C, `${ROUNDS}`, read),
      python.peer(IN_PYTHON, `${ROUNDS}`, read),
      node.peer(IN_NODE, `spawn ${NODE_ROUNDS}`, read),
      node.peer(SYNC_IN_NODE, `spawnSync ${NODE_ROUNDS}`, read),
    ], TURNS),
    IN_C,
  );
}

function sizeOf(mib: number): string {
  return mib === 0 ? "small processes" : `with ${mib} MiB each`;
}

function read(answer: string): number {
  return median(JSON.parse(answer));
}

/** Prints what many programs leave behind. */
async function measureLeft(): Promise<void> {
  // V8 lets its room for young objects grow while there are many, up to a limit, which says nothing about what stays.
  const flags = "--v8-flags=--expose-gc,--max-semi-space-size=1";
  const program = inDeno("_spawn_program.ts", "-A", flags);
  await using deno = await Agent.start(program, 0);
  const answer = JSON.parse(await deno.ask(`leave ${MANY}`));
  const [children, descriptors, growth] = answer;
  const table = { title: `After ${MANY} programs, 8 at a time` };
  console.log(`\n${table.title}`);
  printTarget(table, "children left", once(children), {
    atMost: 0,
    unit: "processes",
  });
  printTarget(table, "descriptors left", once(descriptors), {
    atMost: 0,
    unit: "descriptors",
  });
  printTarget(table, "growth of resident memory", once(growth), {
    atMost: 5,
    unit: "%",
  });
}

if (import.meta.main) await run();
