/**
 * What `fork` + `_exit` + `waitpid` costs: in Deno, with the library and with the bare calls made by C in the same process,
 * and in a C program of the same resident size.
 *
 * The difference between the library and the bare calls is the library's own share: bringing the other threads to rest,
 * taking V8's heap into the fork, giving the child an event loop of its own. The child of a bare fork runs C only.
 *
 * @module
 */

import { existsSync } from "node:fs";
import { fromFileUrl, join } from "@std/path";
import { Agent } from "./_agent.ts";
import { COMPILER, Workshop } from "./_compile.ts";
import {
  compare,
  median,
  medianOf,
  type Missing,
  type Peer,
  printTable,
  printTarget,
  ratio,
  type Row,
  takeTurns,
} from "./_side_by_side.ts";

/** Resident sizes in MiB; 0 leaves Deno as it starts. */
const SIZES = [0, 100, 300];
const PINNED_SIZE = 100;
const TURNS = 7;
const ROUNDS = 8;

const LIBRARY = "Deno, the library";
const BARE = "Deno, the bare calls";
const IN_C = "C, of the same size";
const IN_PYTHON = "Python, of the same size";

/** What an agent answers: times in microseconds of fork() in the parent, and up to the end of waitpid(); its size in KiB. */
interface Answer {
  times: [forked: number, reaped: number][];
  resident: number;
}

async function ask(agent: Agent, question: string): Promise<Answer> {
  return JSON.parse(await agent.ask(question));
}

/** How the agents are started, where they can be. */
interface Commands {
  deno: string[];
  inC: string[] | null;
  inPython: string[] | null;
  canDoBare: boolean;
}

/** Measures and prints. */
export async function run(): Promise<void> {
  using workshop = new Workshop();
  const inC = await workshop.compile("fork.c", "fork");
  const flags = ["-shared", "-fPIC"];
  const shared = await workshop.compile("fork.c", "fork.so", ...flags);
  const { execPath } = Deno;
  const options = ["run", "-A", "--quiet", "--v8-flags=--expose-gc"];
  const commands: Commands = {
    deno: [execPath(), ...options, here("_fork_program.ts"), shared ?? ""],
    inC: inC === null ? null : [inC],
    inPython: isThere("python3") ? ["python3", here("fork.py")] : null,
    canDoBare: shared !== null,
  };
  for (const size of SIZES) await measure(size * 1024, commands);
  await measurePinned(PINNED_SIZE * 1024, commands);
}

/** The same with every process on one CPU, where parent and child take turns, and none is moved. */
async function measurePinned(kib: number, commands: Commands): Promise<void> {
  if (!isThere("taskset")) {
    console.log("\nAll on one CPU: not measured: no taskset");
    return;
  }
  const status = Deno.readTextFileSync("/proc/self/status");
  const cpu = /^Cpus_allowed_list:\s*(\d+)/m.exec(status)![1]!;
  const pin = (command: string[] | null) =>
    command && ["taskset", "--cpu-list", cpu, ...command];
  await measure(kib, {
    ...commands,
    deno: pin(commands.deno)!,
    inC: pin(commands.inC),
    inPython: pin(commands.inPython),
  }, ", all on one CPU");
}

async function measure(
  kib: number,
  commands: Commands,
  note = "",
): Promise<void> {
  await using deno = await Agent.start([...commands.deno, String(kib)]);
  const { resident } = await ask(deno, "library 5");
  const start = (command: string[] | null) =>
    command && Agent.start([...command, String(resident)]);
  await using inC = await start(commands.inC);
  await using inPython = await start(commands.inPython);
  const peers: (Peer<Answer> | Missing)[] = [
    { name: LIBRARY, turn: () => ask(deno, `library ${ROUNDS}`) },
    commands.canDoBare
      ? { name: BARE, turn: () => ask(deno, `bare ${ROUNDS}`) }
      : { name: BARE, missing: COMPILER },
    inC === null
      ? { name: IN_C, missing: COMPILER }
      : { name: IN_C, turn: () => ask(inC, String(ROUNDS)) },
    inPython === null
      ? { name: IN_PYTHON, missing: "python3" }
      : { name: IN_PYTHON, turn: () => ask(inPython, String(ROUNDS)) },
  ];
  const answers = await takeTurns(peers, TURNS);
  /** The figures of all peers: one for each turn, the median of its rounds. */
  const rows = (figure: 0 | 1): Row[] =>
    peers.map((peer) =>
      "missing" in peer ? peer : {
        name: peer.name,
        samples: answers.get(peer.name)!.map(({ times }) =>
          median(times.map((time) => time[figure]))
        ),
      }
    );
  const size = `${(resident / 1024).toFixed(0)} MiB resident${note}`;
  const [forked, reaped] = [rows(0), rows(1)];
  printTable(`fork + _exit + waitpid: ${size}`, "µs", reaped, IN_C);
  printTarget(
    "the library to C",
    compare(reaped, LIBRARY, IN_C, ratio),
    2,
    "×",
  );
  printTable(`fork() alone, in the parent: ${size}`, "µs", forked, IN_C);
  printShare(reaped, forked);
}

/** Prints what the library adds to the bare calls, on both sides of the fork. */
function printShare(reaped: readonly Row[], forked: readonly Row[]): void {
  const [all, bareAll] = [medianOf(reaped, LIBRARY), medianOf(reaped, BARE)];
  const [own, bareOwn] = [medianOf(forked, LIBRARY), medianOf(forked, BARE)];
  if (!all || !bareAll || !own || !bareOwn) {
    console.log(`  the library's own share: not measured: no ${COMPILER}`);
    return;
  }
  const [share, inParent] = [all - bareAll, own - bareOwn];
  console.log(
    `  the library's own share: ${share.toFixed(0)} µs of ${all.toFixed(0)} ` +
      `(${(100 * share / all).toFixed(0)} %): ${
        inParent.toFixed(0)
      } µs in the parent's fork(), ` +
      `${(share - inParent).toFixed(0)} µs until the child has been reaped`,
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
