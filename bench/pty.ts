/**
 * What it costs to read 100 MB that a program writes to its terminal, and to open a pseudo-terminal: the library, Python, C.
 *
 * @module
 */

import { existsSync } from "node:fs";
import { fromFileUrl, join } from "@std/path";
import { spawnPty } from "../exec/mod.ts";
import { close, openpty } from "../ipc/mod.ts";
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
const BYTES = "100000000";
const ROUNDS = "1000";
const SIZE = "65536";

const LIBRARY = "the library: spawnPty().readable";
const MODULE = "Python: pty.spawn()";

const OPEN = "the library: openpty()";
const OPEN_IN_PYTHON = "Python: os.openpty()";

/** Measures and prints. */
export async function run(): Promise<void> {
  using workshop = new Workshop();
  const program = await workshop.compile("pty.c", "pty", "-lutil");
  const c = (name: string, ...args: string[]): Peer | Missing =>
    program === null
      ? { name, missing: COMPILER }
      : { name, turn: () => numberFrom(program, ...args) };
  const through = await sideBySide([
    { name: LIBRARY, turn: readAll },
    python(MODULE, "module", BYTES),
    python("Python: os.read() of 64 KiB", "read", BYTES, SIZE),
    c("C: read() of 64 KiB", "read", BYTES, SIZE),
  ], TURNS);
  printTable("100 MB through a pseudo-terminal", "ms", through, MODULE);
  printTarget(
    "100 MB through a pseudo-terminal, to Python's pty module",
    compare(through, LIBRARY, MODULE, ratio),
    1,
    "×",
  );
  const opened = await sideBySide([
    { name: OPEN, turn: open },
    python(OPEN_IN_PYTHON, "open", ROUNDS),
    c("C: openpty()", "open", ROUNDS),
  ], TURNS);
  printTable(
    "A pseudo-terminal, opened and closed",
    "µs",
    opened,
    OPEN_IN_PYTHON,
  );
}

async function readAll(): Promise<number> {
  const started = performance.now();
  const pty = spawnPty("head", ["-c", BYTES, "/dev/zero"]);
  let total = 0;
  for await (const { length } of pty.readable) total += length;
  await pty.status;
  if (total !== Number(BYTES)) throw new Error(`only ${total} bytes`);
  return performance.now() - started;
}

function open(): number {
  const started = performance.now();
  for (let i = 0; i < Number(ROUNDS); i++) {
    const { controller, terminal } = openpty();
    close(terminal);
    close(controller);
  }
  return (performance.now() - started) * 1e3 / Number(ROUNDS);
}

function python(name: string, ...args: string[]): Peer | Missing {
  return isThere("python3")
    ? { name, turn: () => numberFrom("python3", here("terminal.py"), ...args) }
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
