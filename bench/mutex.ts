/**
 * What it costs to acquire and to release a mutex that processes share, while nobody else wants it, and to count under it by two
 * processes: the library, C, Python.
 *
 * @module
 */

import { Mutex } from "../ipc/mod.ts";
import { inDeno, inPython, printing, Workshop } from "./_programs.ts";
import { printTable, sideBySide } from "./_side_by_side.ts";
import { figure, printTarget, speed } from "./_targets.ts";

const TURNS = 11;
const ALONE_ROUNDS = 200_000;
const TWO_ROUNDS = 300_000;
const PYTHON_ROUNDS = 50_000;

const LIBRARY = "the library: acquire(), release()";
const USING = "the library: using _ = acquire()";
const IN_C = "C: pthread_mutex_lock, pthread_mutex_unlock";
const IN_PYTHON = "Python: with multiprocessing.Lock";

const FORKED = "the library, a forked child";
const NAMED = "the library, two programs";
const COUNT_IN_C = "C";
const COUNT_IN_PYTHON = "Python: multiprocessing.Value";

/** Measures and prints. */
export async function run(): Promise<void> {
  using workshop = new Workshop();
  const inC = await workshop.compile("mutex.c", "mutex", "-pthread");
  const python = inPython("mutex.py");
  using mutex = new Mutex();
  const by = "the library";
  const alone = printTable(
    "A mutex that nobody else wants",
    "ns",
    await sideBySide([
      { name: LIBRARY, by, turn: () => released(mutex) },
      { name: USING, by, turn: () => disposed(mutex) },
      printing(IN_C, inC, "alone", ALONE_ROUNDS),
      printing(IN_PYTHON, python, "alone", PYTHON_ROUNDS),
    ], TURNS),
    IN_C,
  );
  const limit = { atMost: 100, unit: "ns" };
  printTarget(alone, "acquire() and release()", figure(alone, LIBRARY), limit);

  const deno = inDeno("_counter_program.ts", "-A");
  const two = printTable(
    "Two processes that count under one mutex: each step",
    "ns",
    await sideBySide([
      printing(FORKED, deno, "forked", TWO_ROUNDS),
      printing(NAMED, deno, "named", TWO_ROUNDS),
      printing(COUNT_IN_C, inC, "two", TWO_ROUNDS),
      printing(COUNT_IN_PYTHON, python, "two", PYTHON_ROUNDS),
    ], TURNS),
    COUNT_IN_PYTHON,
  );
  for (const name of [FORKED, NAMED]) {
    printTarget(
      two,
      `${name}: times as fast as Python`,
      speed(two, name, COUNT_IN_PYTHON),
      { atLeast: 10, unit: "×" },
    );
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

if (import.meta.main) await run();
