/**
 * What a plain call costs: `getppid()` of the library, the same function bound by hand, and C.
 *
 * @module
 */

import { getppid } from "../process/mod.ts";
import { printing, Workshop } from "./_programs.ts";
import { printTable, sideBySide } from "./_side_by_side.ts";
import { printTarget, ratio } from "./_targets.ts";

const CALLS = 1_000_000;
const TURNS = 15;

const LIBRARY = "the library";
const BY_HAND = "by hand";

/** Measures and prints. */
export async function run(): Promise<void> {
  using workshop = new Workshop();
  const inC = await workshop.compile("call.c", "call");
  const libc = Deno.dlopen("libc.so.6", {
    getppid: { parameters: [], result: "i32" },
  });
  const rows = await sideBySide([
    { name: LIBRARY, by: "the library", turn: library },
    { name: BY_HAND, by: "Deno", turn: () => byHand(libc.symbols) },
    printing("C", inC, CALLS),
  ], TURNS);
  libc.close();
  const table = printTable("A plain call: getppid()", "ns", rows, BY_HAND);
  printTarget(
    table,
    "the library to by hand",
    ratio(table, LIBRARY, BY_HAND),
    { atMost: 1.2, unit: "×" },
  );
}

// Two loops, not one that takes a function: a call that the compiler cannot see through would hide the difference.

function library(): number {
  const started = performance.now();
  for (let i = 0; i < CALLS; i++) getppid();
  return (performance.now() - started) * 1e6 / CALLS;
}

function byHand(symbols: { getppid: () => number }): number {
  const started = performance.now();
  for (let i = 0; i < CALLS; i++) symbols.getppid();
  return (performance.now() - started) * 1e6 / CALLS;
}

if (import.meta.main) await run();
