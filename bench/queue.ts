/**
 * What a message between processes costs: the library's queue, C's pipes and a ring, and Python's queues; with two processors, and
 * with one for all.
 *
 * @module
 */

import {
  inDeno,
  inPython,
  pinned,
  printing,
  type Program,
  Workshop,
} from "./_programs.ts";
import {
  type Missing,
  type Peer,
  printTable,
  sideBySide,
  type Table,
} from "./_side_by_side.ts";
import { figure, printTarget, ratio, speed } from "./_targets.ts";

const TURNS = 5;

interface Stream {
  title: string;
  /** What the library's program, Python's and C's are told. */
  kind: string;
  c: readonly string[];
  count: number;
  producers: number;
  /** The limit in microseconds. */
  limit: number;
  ring?: boolean;
}

const STREAMS: readonly Stream[] = [
  {
    title: "64 bytes, one producer",
    kind: "bytes",
    c: ["pipe", "64"],
    count: 400_000,
    producers: 1,
    limit: 0.5,
    ring: true,
  },
  {
    title: "A small object, one producer",
    kind: "object",
    c: [],
    count: 200_000,
    producers: 1,
    limit: 1.5,
  },
  {
    title: "64 bytes, four producers",
    kind: "bytes",
    c: ["pipe", "64"],
    count: 400_000,
    producers: 4,
    limit: 1,
  },
  {
    title: "64 KiB, one producer",
    kind: "block",
    c: ["pipe", "65536"],
    count: 10_000,
    producers: 1,
    limit: 8,
  },
];

interface Talk {
  title: string;
  kind: string;
  count: number;
}

const TALKS: readonly Talk[] = [
  {
    title: "Request and reply, one after the other",
    kind: "talk",
    count: 20_000,
  },
  {
    title: "Request and reply, a sleep before each",
    kind: "doze",
    count: 500,
  },
];

const ALL = "on all processors";
const ONE = "on one processor";

const PUT = "the library, put and get";
const INTO = "the library, put and get into one array";
const MANY = "the library, putMany and getMany";
const FORKED = "the library, put and get, forked";
const PIPES = "C, pipe";
const RING = "C, ring that yields";
const QUEUE = "Python, Queue";
const SIMPLE = "Python, SimpleQueue";

/** Measures and prints. */
export async function run(): Promise<void> {
  using workshop = new Workshop();
  const deno = inDeno(
    "_queue_program.ts",
    "--allow-ffi",
    "--allow-run",
    "--allow-read",
  );
  const c = await workshop.compile("queue.c", "queue");
  const python = inPython("messages.py");
  await measureAll(new Peers(deno, c, python));
  const onOne = new Peers(pinned(deno), pinned(c), pinned(python));
  for (const item of STREAMS) await measure(item, onOne, ONE);
  for (const talk of TALKS) await measureTalk(talk, onOne, ONE);
}

/** With all processors, for which the limits are. */
async function measureAll(peers: Peers): Promise<void> {
  for (const item of STREAMS) {
    const table = await measure(item, peers, ALL);
    const names = item.kind === "object" ? [PUT, MANY] : [PUT, INTO, MANY];
    const limit = { atMost: item.limit, unit: "µs" };
    for (const name of names) {
      printTarget(table, name, figure(table, name), limit);
      printSpeed(table, name);
    }
  }
  for (const talk of TALKS) {
    const table = await measureTalk(talk, peers, ALL);
    if (talk.kind === "talk") {
      const limit = { atMost: 2, unit: "µs" };
      printTarget(table, PUT, figure(table, PUT), limit);
      printSpeed(table, PUT);
    }
    const what = "the library to C's pipes";
    const limit = { atMost: 1, unit: "×" };
    printTarget(table, what, ratio(table, PUT, PIPES), limit);
  }
}

async function measure(
  item: Stream,
  peers: Peers,
  where: string,
): Promise<Table> {
  const rows = await sideBySide(peers.stream(item), TURNS);
  const reference = item.c.length > 0 ? PIPES : QUEUE;
  return printTable(`${item.title}, ${where}`, "µs", rows, reference);
}

async function measureTalk(
  { title, kind, count }: Talk,
  peers: Peers,
  where: string,
): Promise<Table> {
  const rows = await sideBySide(peers.talk(kind, count), TURNS);
  return printTable(`${title}, ${where}`, "µs", rows, PIPES);
}

/** Prints how many times as fast as Python's queues one of the library's ways is. */
function printSpeed(table: Table, name: string): void {
  for (const peer of [QUEUE, SIMPLE]) {
    const times = speed(table, name, peer);
    if (times === undefined) continue;
    console.log(`    ${times.ofMedians.toFixed(1)} × ${peer}`);
  }
}

/** Those who are measured. */
class Peers {
  readonly #deno: Program;
  readonly #c: Program;
  readonly #python: Program;

  constructor(deno: Program, c: Program, python: Program) {
    this.#deno = deno;
    this.#c = c;
    this.#python = python;
  }

  stream(item: Stream): (Peer | Missing)[] {
    const { kind, count, producers } = item;
    const library = (name: string, how: string, way: string) =>
      printing(name, this.#deno, how, way, kind, count, producers);
    // Python takes longer, and is as steady with less.
    const python = (name: string, queue: string) =>
      printing(name, this.#python, queue, kind, count / 10, producers);
    return [
      library(PUT, "start", "one"),
      ...(kind === "object" ? [] : [library(INTO, "start", "into")]),
      library(MANY, "start", "many"),
      library(FORKED, "fork", "one"),
      ...(item.c.length > 0
        ? [printing(PIPES, this.#c, ...item.c, count, producers)]
        : []),
      ...(item.ring
        ? [printing(RING, this.#c, "ring", 64, count, producers)]
        : []),
      python(QUEUE, "Queue"),
      python(SIMPLE, "SimpleQueue"),
    ];
  }

  talk(kind: string, count: number): (Peer | Missing)[] {
    return [
      printing(PUT, this.#deno, "start", kind, count),
      printing(FORKED, this.#deno, "fork", kind, count),
      printing(PIPES, this.#c, kind, count),
      printing(QUEUE, this.#python, "Queue", kind, count / 10),
      printing(SIMPLE, this.#python, "SimpleQueue", kind, count / 10),
    ];
  }
}

if (import.meta.main) await run();
