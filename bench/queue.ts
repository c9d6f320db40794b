/**
 * What a message between processes costs: the library's queue, C's pipes and a ring, and Python's queues; with two processors, and
 * with one for all.
 *
 * @module
 */

import { fromFileUrl } from "@std/path";
import { COMPILER, numberFrom, Workshop } from "./_compile.ts";
import {
  compare,
  type Missing,
  type Peer,
  printTable,
  printTarget,
  ratio,
  type Row,
  sideBySide,
} from "./_side_by_side.ts";

const TURNS = 5;
const PYTHON = "python3";

interface Case {
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

const STREAMS: readonly Case[] = [
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

const TALKS = [
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
] as const;

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
  const inC = await workshop.compile("queue.c", "queue");
  const python = await has(PYTHON, "--version") ? PYTHON : null;
  for (const pinned of [false, true]) {
    if (pinned && !await has("taskset", "-c", "0", "true")) {
      console.log("\nnot measured on one processor: no taskset");
      return;
    }
    const peers = new Peers(pinned, inC, python);
    const where = pinned ? "on one processor" : "on all processors";
    for (const item of STREAMS) {
      const rows = await sideBySide(peers.stream(item), TURNS);
      printTable(`${item.title}, ${where}`, "µs", rows, PUT);
      if (pinned) continue;
      const names = item.kind === "object" ? [PUT, MANY] : [PUT, INTO, MANY];
      for (const name of names) printLimit(rows, name, item.limit);
    }
    for (const { title, kind, count } of TALKS) {
      const rows = await sideBySide(peers.talk(kind, count), TURNS);
      printTable(`${title}, ${where}`, "µs", rows, PUT);
      if (pinned) continue;
      if (kind === "talk") printLimit(rows, PUT, 2);
      printTarget("library / C", compare(rows, PUT, PIPES, ratio), 1, "×");
    }
  }
}

/** Those who are measured. */
class Peers {
  readonly #pinned: boolean;
  readonly #inC: string | null;
  readonly #python: string | null;

  constructor(pinned: boolean, inC: string | null, python: string | null) {
    this.#pinned = pinned;
    this.#inC = inC;
    this.#python = python;
  }

  stream(item: Case): (Peer | Missing)[] {
    const { kind, producers } = item;
    const args = [kind, String(item.count), String(producers)];
    // Python takes longer, and is as steady with less.
    const fewer = [kind, String(item.count / 10), String(producers)];
    const last = [String(item.count), String(producers)];
    return [
      this.#library(PUT, "start", "one", ...args),
      ...(kind === "object"
        ? []
        : [this.#library(INTO, "start", "into", ...args)]),
      this.#library(MANY, "start", "many", ...args),
      this.#library(FORKED, "fork", "one", ...args),
      ...(item.c.length > 0 ? [this.#c(PIPES, ...item.c, ...last)] : []),
      ...(item.ring ? [this.#c(RING, "ring", "64", ...last)] : []),
      this.#inPython(QUEUE, "Queue", ...fewer),
      this.#inPython(SIMPLE, "SimpleQueue", ...fewer),
    ];
  }

  talk(kind: string, count: number): (Peer | Missing)[] {
    const n = String(count);
    return [
      this.#library(PUT, "start", kind, n),
      this.#library(FORKED, "fork", kind, n),
      this.#c(PIPES, kind, n),
      this.#inPython(QUEUE, "Queue", kind, String(count / 10)),
      this.#inPython(SIMPLE, "SimpleQueue", kind, String(count / 10)),
    ];
  }

  #library(name: string, ...args: string[]): Peer {
    const program = fromFileUrl(new URL("_queue_program.ts", import.meta.url));
    return this.#peer(
      name,
      Deno.execPath(),
      "run",
      "--no-check",
      "--allow-ffi",
      "--allow-run",
      "--allow-read",
      program,
      ...args,
    );
  }

  #c(name: string, ...args: string[]): Peer | Missing {
    return this.#inC === null
      ? { name, missing: COMPILER }
      : this.#peer(name, this.#inC, ...args);
  }

  #inPython(name: string, ...args: string[]): Peer | Missing {
    if (this.#python === null) return { name, missing: PYTHON };
    const program = fromFileUrl(new URL("messages.py", import.meta.url));
    return this.#peer(name, this.#python, program, ...args);
  }

  #peer(name: string, ...command: string[]): Peer {
    const [file, ...args] = this.#pinned
      ? ["taskset", "-c", "0", ...command]
      : command;
    return { name, turn: () => numberFrom(file!, ...args) };
  }
}

function printLimit(rows: readonly Row[], name: string, limit: number): void {
  printTarget(name, compare(rows, name, name, (value) => value), limit, "µs");
  for (const peer of [QUEUE, SIMPLE]) {
    const times = compare(rows, peer, name, ratio);
    if (times === undefined) continue;
    console.log(`    ${times.ofMedians.toFixed(1)} × ${peer}`);
  }
}

async function has(command: string, ...args: string[]): Promise<boolean> {
  try {
    const { success } = await new Deno.Command(command, { args }).output();
    return success;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}

if (import.meta.main) await run();
