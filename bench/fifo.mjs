// Prints what _transfer_program.ts does, for Node: through FIFOs, with a second program instead of a forked child.
//   node fifo.mjs stream|talk COUNT THERE BACK
//   node fifo.mjs write|answer COUNT THERE BACK    the other program
import { spawn } from "node:child_process";
import { closeSync, openSync, readSync, writeSync } from "node:fs";
import process from "node:process";

// As many blocks or round trips go before those that are measured.
const WARM_UP = 2000;
const BLOCK = new Uint8Array(65_536).fill(1);
const MESSAGE = new Uint8Array(64).fill(1);
// Where all that is read goes.
const buffer = new Uint8Array(BLOCK.length);

const [program, mode, times, there, back] = process.argv.slice(1);
const count = Number(times);
if (mode === "write") {
  const writer = openSync(there, "w");
  for (let i = 0; i < WARM_UP + count; i++) send(writer, BLOCK, BLOCK.length);
} else if (mode === "answer") {
  const reader = openSync(there, "r");
  const writer = openSync(back, "w");
  while (readSync(reader, buffer, 0, MESSAGE.length) > 0) {
    send(writer, buffer, MESSAGE.length);
  }
} else {
  const role = mode === "stream" ? "write" : "answer";
  spawn(process.execPath, [program, role, times, there, back], {
    stdio: ["ignore", "inherit", "inherit"],
  });
  console.log(mode === "stream" ? stream() : talk());
}

function stream() {
  const reader = openSync(there, "r");
  receive(reader, WARM_UP * BLOCK.length);
  const started = performance.now();
  receive(reader, count * BLOCK.length);
  return performance.now() - started;
}

function talk() {
  const writer = openSync(there, "w");
  const reader = openSync(back, "r");
  const took = [];
  for (let i = 0; i < WARM_UP + count; i++) {
    const started = performance.now();
    send(writer, MESSAGE, MESSAGE.length);
    receive(reader, MESSAGE.length);
    if (i >= WARM_UP) took.push(performance.now() - started);
  }
  closeSync(writer);
  return took.sort((a, b) => a - b)[count >> 1] * 1e3;
}

function send(writer, data, size) {
  if (writeSync(writer, data, 0, size) !== size) throw new Error("short write");
}

// Reads so many bytes, in pieces of a block at most.
function receive(reader, size) {
  while (size > 0) {
    const length = readSync(reader, buffer, 0, Math.min(size, buffer.length));
    if (length === 0) throw new Error("the end comes too early");
    size -= length;
  }
}
