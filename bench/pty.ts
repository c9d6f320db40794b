/**
 * What it costs to read 100 MB that a program writes to its terminal, and to open a pseudo-terminal: the library, Python, C.
 *
 * @module
 */

import { spawnPty } from "../exec/mod.ts";
import { close, openpty } from "../ipc/mod.ts";
import { inPython, printing, Workshop } from "./_programs.ts";
import { printTable, sideBySide } from "./_side_by_side.ts";
import { printTarget, speed } from "./_targets.ts";

const TURNS = 11;
const BYTES = 100_000_000;
const ROUNDS = 1000;
const SIZE = 65_536;

const LIBRARY = "the library: spawnPty().readable";
const MODULE = "Python: pty.spawn()";

const OPEN = "the library: openpty()";
const OPEN_IN_PYTHON = "Python: os.openpty()";

/** Measures and prints. */
export async function run(): Promise<void> {
  using workshop = new Workshop();
  const inC = await workshop.compile("pty.c", "pty", "-lutil");
  const python = inPython("terminal.py");
  const by = "the library";
  const through = printTable(
    "100 MB through a pseudo-terminal",
    "ms",
    await sideBySide([
      { name: LIBRARY, by, turn: readAll },
      printing(MODULE, python, "module", BYTES),
      printing("Python: os.read() of 64 KiB", python, "read", BYTES, SIZE),
      printing("C: read() of 64 KiB", inC, "read", BYTES, SIZE),
    ], TURNS),
    MODULE,
  );
  printTarget(
    through,
    "the throughput to that of Python's pty module",
    speed(through, LIBRARY, MODULE),
    { atLeast: 1, unit: "×" },
  );
  const opened = await sideBySide([
    { name: OPEN, by, turn: open },
    printing(OPEN_IN_PYTHON, python, "open", ROUNDS),
    printing("C: openpty()", inC, "open", ROUNDS),
  ], TURNS);
  const title = "A pseudo-terminal, opened and closed";
  printTable(title, "µs", opened, OPEN_IN_PYTHON);
}

async function readAll(): Promise<number> {
  const started = performance.now();
  const pty = spawnPty("head", ["-c", String(BYTES), "/dev/zero"]);
  let total = 0;
  for await (const { length } of pty.readable) total += length;
  await pty.status;
  if (total !== BYTES) throw new Error(`only ${total} bytes`);
  return performance.now() - started;
}

function open(): number {
  const started = performance.now();
  for (let i = 0; i < ROUNDS; i++) {
    const { controller, terminal } = openpty();
    close(terminal);
    close(controller);
  }
  return (performance.now() - started) * 1e3 / ROUNDS;
}

if (import.meta.main) await run();
