/**
 * Prints what it costs to move bytes from one process to another, through the library: the parent, and a child that is forked.
 *
 * Arguments: `stream` and how many blocks of 64 KiB, for all their milliseconds; or `talk` and how many round trips of 64 bytes,
 * for the microseconds of the median one; then the paths of FIFOs, one there and one back, if it is not to be through pipes.
 *
 * @module
 */

import {
  close,
  O_RDONLY,
  O_WRONLY,
  open,
  pipe,
  readInto,
  write,
} from "../ipc/mod.ts";
import { _exit, fork } from "../process/mod.ts";
import { waitpid } from "../wait/mod.ts";

/** As many blocks or round trips go before those that are measured, for the compiler to know what is hot. */
const WARM_UP = 2000;
const BLOCK = new Uint8Array(65_536).fill(1);
const MESSAGE = new Uint8Array(64).fill(1);
/** Where all that is read goes. */
const landing = new Uint8Array(65_536);

/** Something between two processes, of which each takes an end after the fork. */
interface Connection {
  reader(): number;
  writer(): number;
}

const [mode, times, there, back] = Deno.args;
const count = Number(times);
console.log(mode === "stream" ? stream() : talk());

function connect(path: string | undefined): Connection {
  if (path !== undefined) {
    return {
      reader: () => open(path, O_RDONLY),
      writer: () => open(path, O_WRONLY),
    };
  }
  const [readable, writable] = pipe();
  return {
    reader() {
      close(writable);
      return readable;
    },
    writer() {
      close(readable);
      return writable;
    },
  };
}

function stream(): number {
  const connection = connect(there);
  const child = fork();
  if (child === 0) {
    const writer = connection.writer();
    for (let i = 0; i < WARM_UP + count; i++) send(writer, BLOCK);
    _exit(0);
  }
  const reader = connection.reader();
  receive(reader, WARM_UP * BLOCK.length);
  const started = performance.now();
  receive(reader, count * BLOCK.length);
  const took = performance.now() - started;
  waitpid(child);
  return took;
}

function talk(): number {
  const [requests, replies] = [connect(there), connect(back)];
  const child = fork();
  if (child === 0) {
    const [reader, writer] = [requests.reader(), replies.writer()];
    const message = new Uint8Array(MESSAGE.length);
    while (readInto(reader, message) === message.length) send(writer, message);
    _exit(0);
  }
  const [writer, reader] = [requests.writer(), replies.reader()];
  const took: number[] = [];
  for (let i = 0; i < WARM_UP + count; i++) {
    const started = performance.now();
    send(writer, MESSAGE);
    receive(reader, MESSAGE.length);
    if (i >= WARM_UP) took.push(performance.now() - started);
  }
  close(writer);
  waitpid(child);
  return took.sort((a, b) => a - b)[count >> 1]! * 1e3;
}

function send(writer: number, data: Uint8Array): void {
  if (write(writer, data) !== data.length) throw new Error("short write");
}

/** Reads so many bytes, in pieces of a block at most. */
function receive(reader: number, size: number): void {
  while (size > 0) {
    const room = size < landing.length ? landing.subarray(0, size) : landing;
    const length = readInto(reader, room);
    if (length === 0) throw new Error("the end comes too early");
    size -= length;
  }
}
