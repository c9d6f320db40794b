/**
 * What it costs to write into a pipe and to read it again, in one process: the library, the same functions bound by hand, C; and
 * what it costs from one process to another, through pipes and FIFOs: the library, C, Python, and through FIFOs Deno and Node.
 *
 * @module
 */

import { close, mkfifo, pipe, read, write } from "../ipc/mod.ts";
import {
  inDeno,
  inNode,
  inPython,
  printing,
  type Program,
  Workshop,
} from "./_programs.ts";
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

/** What goes from one process to another. */
const TRANSFERS = [
  {
    title: "256 MiB from process to process in writes of 64 KiB",
    mode: "stream",
    count: 4096,
    unit: "ms",
  },
  {
    title: "64 bytes to another process and back",
    mode: "talk",
    count: 10_000,
    unit: "µs",
  },
] as const;
const TRANSFER_TURNS = 5;

type Libc = Deno.DynamicLibrary<typeof SYMBOLS>["symbols"];

/** Measures and prints. */
export async function run(): Promise<void> {
  using workshop = new Workshop();
  await measureInOne(workshop);
  await measureBetweenTwo(workshop);
}

async function measureInOne(workshop: Workshop): Promise<void> {
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

async function measureBetweenTwo(workshop: Workshop): Promise<void> {
  const fifos = ["there", "back"].map((name) => workshop.place(name));
  for (const path of fifos) mkfifo(path);
  const c = await workshop.compile("transfer.c", "transfer");
  const library = inDeno("_transfer_program.ts", "--allow-ffi");
  const python = inPython("transfer.py");
  // They know FIFOs, and no pipes but those of a program that they start.
  const deno: Program = { ...inDeno("_fifo_program.ts", "-A"), by: "Deno" };
  const node = inNode("fifo.mjs");
  for (const { title, mode, count, unit } of TRANSFERS) {
    for (const paths of [[], fifos]) {
      const through = (name: string, program: Program) =>
        printing(name, program, mode, count, ...paths);
      const named = paths.length > 0;
      const rows = await sideBySide([
        through("the library", library),
        through("C", c),
        through("Python", python),
        ...(named
          ? [through("Deno's files", deno), through("Node", node)]
          : []),
      ], TRANSFER_TURNS);
      printTable(`${title}: ${named ? "FIFO" : "pipe"}`, unit, rows, "C");
    }
  }
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
