/**
 * What `fork` + `_exit` + `waitpid` costs: in Deno, with the library and with the bare calls made by C in the same process,
 * and in a C program of the same resident size.
 *
 * The difference between the library and the bare calls is the library's own share: bringing the other threads to rest,
 * taking V8's heap into the fork, giving the child an event loop of its own. The child of a bare fork runs C only.
 *
 * @module
 */

import { Agent } from "./_agent.ts";
import {
  inDeno,
  inPython,
  pinned,
  type Program,
  Workshop,
} from "./_programs.ts";
import {
  median,
  printTable,
  rowsOf,
  type Table,
  takeTurns,
} from "./_side_by_side.ts";
import { difference, figure, printTarget, ratio } from "./_targets.ts";

/** How large the processes are: resident, in MiB, where 0 leaves Deno as it starts; and V8's heap, in MB, where that counts. */
interface Size {
  mib: number;
  heap?: number;
}

const SIZES: readonly Size[] = [
  { mib: 0 },
  { mib: 0, heap: 50 },
  { mib: 100 },
  { mib: 300 },
];
const PINNED_SIZE: Size = { mib: 100 };
const TURNS = 7;
const ROUNDS = 8;
const SHARE_PROCESSES = 7;
const SHARE_WARM_UP = 40;
const SHARE_ROUNDS = 150;

const LIBRARY = "Deno, the library";
const BARE = "Deno, the bare calls";
const IN_C = "C, of the same size";
const IN_PYTHON = "Python, of the same size";

/** Times in microseconds of fork() in the parent, and up to the end of waitpid(). */
type Times = [forked: number, reaped: number];

/** What an agent answers. */
function read(answer: string): Times[] {
  return JSON.parse(answer).times;
}

/** How the agents are started. */
interface Programs {
  deno: Program;
  inC: Program;
  inPython: Program;
  /** The library in C with which a Deno forks, or what is missing for that. */
  bare: Program;
}

/** Measures and prints. */
export async function run(): Promise<void> {
  using workshop = new Workshop();
  const programs: Programs = {
    deno: inDeno("_fork_program.ts", "-A", "--v8-flags=--expose-gc"),
    inC: await workshop.compile("fork.c", "fork"),
    inPython: inPython("fork.py"),
    bare: await workshop.compile("fork.c", "fork.so", "-shared", "-fPIC"),
  };
  for (const size of SIZES) await measure(size, programs);
  // Parent and child take turns there, and none is moved.
  const { deno, inC, inPython: python } = programs;
  const onOne = {
    ...programs,
    deno: pinned(deno),
    inC: pinned(inC),
    inPython: pinned(python),
  };
  if ("missing" in onOne.deno) {
    console.log(`\nAll on one CPU: not measured: no ${onOne.deno.missing}`);
  } else await measure(PINNED_SIZE, onOne, ", all on one CPU");
}

async function measure(
  { mib, heap = 0 }: Size,
  programs: Programs,
  note = "",
): Promise<void> {
  const { bare } = programs;
  const library = "missing" in bare ? "" : bare.command[0]!;
  await using deno = await Agent.start(
    programs.deno,
    library,
    mib * 1024,
    heap,
  );
  const { resident } = JSON.parse(await deno.ask("library 5"));
  await using c = await Agent.start(programs.inC, resident);
  await using python = await Agent.start(programs.inPython, resident);
  const peers = [
    deno.peer(LIBRARY, `library ${ROUNDS}`, read),
    "missing" in bare
      ? { name: BARE, by: "bare calls", missing: bare.missing }
      : { ...deno.peer(BARE, `bare ${ROUNDS}`, read), by: "bare calls" },
    c.peer(IN_C, `${ROUNDS}`, read),
    python.peer(IN_PYTHON, `${ROUNDS}`, read),
  ];
  const answers = await takeTurns(peers, TURNS);
  /** The figures of all peers: one for each turn, the median of its rounds. */
  const rows = (figure: 0 | 1) =>
    rowsOf(
      peers,
      answers,
      (times) => median(times.map((time) => time[figure])),
    );
  const ofHeap = heap === 0 ? "" : `, ${heap} MB of heap`;
  const size = `${(resident / 1024).toFixed(0)} MiB resident${ofHeap}${note}`;
  const title = `fork + _exit + waitpid: ${size}`;
  const reaped = printTable(title, "µs", rows(1), IN_C);
  const toC = ratio(reaped, LIBRARY, IN_C);
  printTarget(reaped, "the library to C", toC, { atMost: 2, unit: "×" });
  printTarget(reaped, "the library to C, the stricter limit", toC, {
    atMost: 1.5,
    unit: "×",
  });
  const alone = `fork() alone, in the parent: ${size}`;
  printShare(reaped, printTable(alone, "µs", rows(0), IN_C));
  if (heap > 0) await measureShare(heap, programs);
}

/**
 * The library's own share, in several processes one after another, as where things lie in memory decides too: in each, a round of the
 * library and a bare one by turns, for it is the small difference of two large figures.
 */
async function measureShare(heap: number, programs: Programs): Promise<void> {
  const { bare, deno } = programs;
  if ("missing" in bare) return;
  const samples: number[] = [];
  for (let process = 0; process < SHARE_PROCESSES; process++) {
    await using agent = await Agent.start(deno, bare.command[0]!, 0, heap);
    await agent.ask(`library ${SHARE_WARM_UP}`);
    const times = read(await agent.ask(`share ${SHARE_ROUNDS}`));
    samples.push(median(times.map(([, reaped]) => reaped)));
  }
  const name = "the library's own share";
  const table = printTable(
    `fork + _exit + waitpid, what the library takes of it: ${heap} MB of heap`,
    "µs",
    [{ name, by: "the library", samples }],
    name,
  );
  printTarget(table, name, figure(table, name), { atMost: 500, unit: "µs" });
}

/** Prints what the library adds to the bare calls, on both sides of the fork. */
function printShare(reaped: Table, forked: Table): void {
  const share = difference(reaped, LIBRARY, BARE)?.ofMedians;
  const inParent = difference(forked, LIBRARY, BARE)?.ofMedians;
  if (share === undefined || inParent === undefined) {
    console.log(`  the library's own share: not measured`);
    return;
  }
  console.log(
    `  the library's own share: ${share.toFixed(0)} µs: ` +
      `${inParent.toFixed(0)} µs in the parent's fork(), ` +
      `${(share - inParent).toFixed(0)} µs until the child has been reaped`,
  );
}

if (import.meta.main) await run();
