/**
 * What it costs to write into a pipe and to read it again, in one process: the library, the same functions bound by hand, C.
 *
 * @module
 */

import { close, pipe, read, write } from "../ipc/mod.ts";
import { COMPILER, numberFrom, Workshop } from "./_compile.ts";
import { printTable, sideBySide } from "./_side_by_side.ts";

const TURNS = 9;
const SIZES = [
  { title: "64 bytes", size: 64, rounds: 50_000 },
  { title: "64 KiB", size: 65_536, rounds: 4_000 },
];

const SYMBOLS = {
  read: { parameters: ["i32", "buffer", "usize"], result: "i32" },
  write: { parameters: ["i32", "buffer", "usize"], result: "i32" },
} as const;

type Libc = Deno.DynamicLibrary<typeof SYMBOLS>["symbols"];

/** Measures and prints. */
export async function run(): Promise<void> {
  using workshop = new Workshop();
  const inC = await workshop.compile("pipe.c", "pipe");
  const libc = Deno.dlopen("libc.so.6", SYMBOLS);
  const [readable, writable] = pipe();
  for (const { title, size, rounds } of SIZES) {
    const data = new Uint8Array(size).fill(1);
    const rows = await sideBySide([
      {
        name: "the library",
        turn: () => library(readable, writable, data, rounds),
      },
      {
        name: "by hand, a new buffer for each read",
        turn: () => byHand(libc.symbols, readable, writable, data, rounds),
      },
      {
        name: "by hand, one buffer for all",
        turn: () =>
          byHandInto(libc.symbols, readable, writable, data, rounds, data),
      },
      inC === null ? { name: "C", missing: COMPILER } : {
        name: "C",
        turn: () => numberFrom(inC, String(size), String(rounds)),
      },
    ], TURNS);
    printTable(
      `Through a pipe and back: ${title}, written and read`,
      "ns",
      rows,
      "by hand, a new buffer for each read",
    );
  }
  close(readable);
  close(writable);
  libc.close();
}

function library(
  readable: number,
  writable: number,
  data: Uint8Array<ArrayBuffer>,
  rounds: number,
): number {
  const started = performance.now();
  for (let i = 0; i < rounds; i++) {
    if (write(writable, data) !== data.length) throw new Error("short write");
    const { length } = read(readable, data.length);
    if (length !== data.length) throw new Error("short read");
  }
  return (performance.now() - started) * 1e6 / rounds;
}

function byHand(
  libc: Libc,
  readable: number,
  writable: number,
  data: Uint8Array<ArrayBuffer>,
  rounds: number,
): number {
  const size = BigInt(data.length);
  const started = performance.now();
  for (let i = 0; i < rounds; i++) {
    if (libc.write(writable, data, size) !== data.length) {
      throw new Error("short write");
    }
    const buffer = new Uint8Array(data.length);
    if (libc.read(readable, buffer, size) !== data.length) {
      throw new Error("short read");
    }
  }
  return (performance.now() - started) * 1e6 / rounds;
}

function byHandInto(
  libc: Libc,
  readable: number,
  writable: number,
  data: Uint8Array<ArrayBuffer>,
  rounds: number,
  buffer: Uint8Array<ArrayBuffer>,
): number {
  const size = BigInt(data.length);
  const started = performance.now();
  for (let i = 0; i < rounds; i++) {
    if (libc.write(writable, data, size) !== data.length) {
      throw new Error("short write");
    }
    if (libc.read(readable, buffer, size) !== data.length) {
      throw new Error("short read");
    }
  }
  return (performance.now() - started) * 1e6 / rounds;
}

if (import.meta.main) await run();
