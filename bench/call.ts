/**
 * What a plain call costs: `getppid()` of the library, the same function bound by hand, and C.
 *
 * @module
 */

import { getppid } from "../process/mod.ts";
import { COMPILER, numberFrom, Workshop } from "./_compile.ts";
import {
  compare,
  printTable,
  printTarget,
  ratio,
  sideBySide,
} from "./_side_by_side.ts";

const CALLS = 1_000_000;
const TURNS = 15;

/** Measures and prints. */
export async function run(): Promise<void> {
  using workshop = new Workshop();
  const inC = await workshop.compile("call.c", "call");
  const libc = Deno.dlopen("libc.so.6", {
    getppid: { parameters: [], result: "i32" },
  });
  const rows = await sideBySide([
    { name: "the library", turn: library },
    { name: "by hand", turn: () => byHand(libc.symbols) },
    inC === null
      ? { name: "C", missing: COMPILER }
      : { name: "C", turn: () => numberFrom(inC, String(CALLS)) },
  ], TURNS);
  libc.close();
  printTable("A plain call: getppid()", "ns", rows, "by hand");
  printTarget(
    "the library to by hand",
    compare(rows, "the library", "by hand", ratio),
    1.2,
    "×",
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
