/**
 * What it costs to write into a pipe and to read it again, in one process: the library, the same functions bound by hand, C.
 *
 * @module
 */

import { close, pipe, read, write } from "../ipc/mod.ts";
import { printing, Workshop } from "./_programs.ts";
import { printTable, sideBySide } from "./_side_by_side.ts";

const TURNS = 9;
const SIZES = [
  { name: "64 bytes", size: 64, rounds: 50_000 },
  { name: "64 KiB", size: 65_536, rounds: 4_000 },
];

const SYMBOLS = {
  read: { parameters: ["i32", "buffer", "usize"], result: "i32" },
  write: { parameters: ["i32", "buffer", "usize"], result: "i32" },
} as const;

const BY_HAND = "by hand, a new buffer for each read";

type Libc = Deno.DynamicLibrary<typeof SYMBOLS>["symbols"];

/** Measures and prints. */
export async function run(): Promise<void> {
  using workshop = new Workshop();
  const inC = await workshop.compile("pipe.c", "pipe");
  const libc = Deno.dlopen("libc.so.6", SYMBOLS);
  const [readable, writable] = pipe();
  for (const { name, size, rounds } of SIZES) {
    const data = new Uint8Array(size).fill(1);
    const rows = await sideBySide([
      {
        name: "the library",
        by: "the library",
        turn: () => library(readable, writable, data, rounds),
      },
      {
        name: BY_HAND,
        by: "Deno",
        turn: () => byHand(libc.symbols, readable, writable, data, rounds),
      },
      {
        name: "by hand, one buffer for all",
        by: "Deno",
        turn: () =>
          byHandInto(libc.symbols, readable, writable, data, rounds, data),
      },
      printing("C", inC, size, rounds),
    ], TURNS);
    const title = `Through a pipe and back: ${name}, written and read`;
    printTable(title, "ns", rows, BY_HAND);
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
