/**
 * What it costs to acquire and to release a mutex that processes share, while nobody else wants it, and to count under it by two
 * processes: the library, C, Python.
 *
 * A forked child lacks the threads on which V8 optimizes what gets hot, unless it is told to do so on the one that there is.
 *
 * @module
 */

import { existsSync } from "node:fs";
import { fromFileUrl, join } from "@std/path";
import { Mutex } from "../ipc/mod.ts";
import { COMPILER, numberFrom, Workshop } from "./_compile.ts";
import {
  compare,
  type Missing,
  type Peer,
  printTable,
  printTarget,
  ratio,
  sideBySide,
} from "./_side_by_side.ts";

const TURNS = 11;
const ALONE_ROUNDS = 200_000;
const TWO_ROUNDS = 300_000;
const PYTHON_ROUNDS = 50_000;

const LIBRARY = "the library: acquire(), release()";
const USING = "the library: using _ = acquire()";
const IN_C = "C: pthread_mutex_lock, pthread_mutex_unlock";
const IN_PYTHON = "Python: with multiprocessing.Lock";

const FORKED = "the library, a forked child, --no-concurrent-recompilation";
const FORKED_PLAIN = "the library, a forked child";
const NAMED = "the library, two programs";
const COUNT_IN_C = "C";
const COUNT_IN_PYTHON = "Python: multiprocessing.Value";

/** Measures and prints. */
export async function run(): Promise<void> {
  using workshop = new Workshop();
  const inC = await workshop.compile("mutex.c", "mutex", "-pthread");
  const c = (name: string, kind: string, rounds: number): Peer | Missing =>
    inC === null
      ? { name, missing: COMPILER }
      : { name, turn: () => numberFrom(inC, kind, String(rounds)) };
  using mutex = new Mutex();
  const alone = await sideBySide([
    { name: LIBRARY, turn: () => released(mutex) },
    { name: USING, turn: () => disposed(mutex) },
    c(IN_C, "alone", ALONE_ROUNDS),
    python(IN_PYTHON, "alone"),
  ], TURNS);
  printTable("A mutex that nobody else wants", "ns", alone, IN_C);
  printTarget(
    "acquire() and release()",
    compare(alone, LIBRARY, LIBRARY, (value) => value),
    100,
    "ns",
  );
  const two = await sideBySide([
    deno(FORKED_PLAIN, "forked"),
    deno(FORKED, "forked", "--v8-flags=--no-concurrent-recompilation"),
    deno(NAMED, "named"),
    c(COUNT_IN_C, "two", TWO_ROUNDS),
    python(COUNT_IN_PYTHON, "two"),
  ], TURNS);
  printTable(
    "Two processes that count under one mutex: each step",
    "ns",
    two,
    COUNT_IN_PYTHON,
  );
  for (const name of [FORKED_PLAIN, FORKED, NAMED]) {
    const comparison = compare(two, name, COUNT_IN_PYTHON, ratio);
    printTarget(`${name}, to Python`, comparison, 0.1, "×");
  }
}

function released(mutex: Mutex): number {
  const started = performance.now();
  for (let i = 0; i < ALONE_ROUNDS; i++) mutex.acquire().release();
  return (performance.now() - started) * 1e6 / ALONE_ROUNDS;
}

function disposed(mutex: Mutex): number {
  const started = performance.now();
  for (let i = 0; i < ALONE_ROUNDS; i++) {
    using _ = mutex.acquire();
  }
  return (performance.now() - started) * 1e6 / ALONE_ROUNDS;
}

function deno(name: string, kind: string, ...flags: string[]): Peer {
  const args = ["run", "-A", "--quiet", ...flags, here("_counter_program.ts")];
  return {
    name,
    turn: () => numberFrom(Deno.execPath(), ...args, kind, String(TWO_ROUNDS)),
  };
}

function python(name: string, kind: string): Peer | Missing {
  return isThere("python3")
    ? {
      name,
      turn: () =>
        numberFrom("python3", here("mutex.py"), kind, String(PYTHON_ROUNDS)),
    }
    : { name, missing: "python3" };
}

function here(file: string): string {
  return fromFileUrl(new URL(file, import.meta.url));
}

function isThere(program: string): boolean {
  const directories = (Deno.env.get("PATH") ?? "").split(":");
  return directories.some((directory) => existsSync(join(directory, program)));
}

if (import.meta.main) await run();
