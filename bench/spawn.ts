/**
 * What it costs to start a program and to learn that it has ended: the library, `Deno.Command`, C's `posix_spawn` + `waitpid`,
 * Python's `subprocess`, in small processes and in such with a big heap; and the time from a kill to the reaped child.
 *
 * @module
 */

import { fromFileUrl } from "@std/path";
import { Agent } from "./_agent.ts";
import { COMPILER, Workshop } from "./_compile.ts";
import {
  compare,
  median,
  type Missing,
  type Peer,
  printTable,
  printTarget,
  ratio,
  sideBySide,
} from "./_side_by_side.ts";

/** Sizes in MiB. */
const SIZES = [0, 256];
const TURNS = 15;
const ROUNDS = 40;

const LIBRARY = "the library";
const COMMAND = "Deno.Command";
const IN_C = "C";
const IN_PYTHON = "Python";

/** Measures and prints. */
export async function run(): Promise<void> {
  using workshop = new Workshop();
  const inC = await workshop.compile("spawn.c", "spawn");
  for (const size of SIZES) await measure(size, inC);
}

async function measure(mib: number, program: string | null): Promise<void> {
  const kib = String(mib * 1024);
  const options = [
    "run",
    "-A",
    "--quiet",
    "--no-check",
    "--v8-flags=--expose-gc",
  ];
  await using deno = await Agent.start([
    Deno.execPath(),
    ...options,
    here("_spawn_program.ts"),
    kib,
  ]);
  await using inC = program === null ? null : await Agent.start([program, kib]);
  await using python = await Agent.start(["python3", here("spawn.py"), kib])
    .catch(() => null);
  const peer = (
    name: string,
    agent: Agent | null,
    question: string,
    missing: string,
  ): Peer | Missing =>
    agent === null ? { name, missing } : {
      name,
      turn: async () => median(JSON.parse(await agent.ask(question))),
    };
  const size = mib === 0 ? "small processes" : `with ${mib} MiB each`;
  const starts = await sideBySide([
    peer(LIBRARY, deno, `library ${ROUNDS}`, ""),
    peer(COMMAND, deno, `command ${ROUNDS}`, ""),
    peer(IN_C, inC, `${ROUNDS}`, COMPILER),
    peer(IN_PYTHON, python, `${ROUNDS}`, "python3"),
  ], TURNS);
  printTable(
    `/bin/true from its start to its status: ${size}`,
    "µs",
    starts,
    IN_C,
  );
  printTarget(
    "the library to C",
    compare(starts, LIBRARY, IN_C, ratio),
    1.15,
    "×",
  );
  if (mib !== 0) return;
  const kills = await sideBySide([
    peer(LIBRARY, deno, `kill ${ROUNDS}`, ""),
    peer(IN_C, inC, `kill ${ROUNDS}`, COMPILER),
  ], TURNS);
  printTable("From SIGKILL to the status", "µs", kills, IN_C);
  printTarget(
    "the library to C",
    compare(kills, LIBRARY, IN_C, ratio),
    1.5,
    "×",
  );
}

function here(file: string): string {
  return fromFileUrl(new URL(file, import.meta.url));
}

if (import.meta.main) await run();
