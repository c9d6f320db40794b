/**
 * Prints what `_transfer_program.ts` does, through Deno's own files: FIFOs, and a second program instead of a forked child.
 *
 * Arguments: those of that program; or, of the other program, `write` or `answer` and the same.
 *
 * @module
 */

/** As many blocks or round trips go before those that are measured. */
const WARM_UP = 2000;
const BLOCK = new Uint8Array(65_536).fill(1);
const MESSAGE = new Uint8Array(64).fill(1);
/** Where all that is read goes. */
const buffer = new Uint8Array(BLOCK.length);

const [mode = "", times = "", there = "", back = ""] = Deno.args;
const count = Number(times);
if (mode === "write") {
  using writer = Deno.openSync(there, { write: true });
  for (let i = 0; i < WARM_UP + count; i++) send(writer, BLOCK);
} else if (mode === "answer") {
  using reader = Deno.openSync(there, { read: true });
  using writer = Deno.openSync(back, { write: true });
  const message = buffer.subarray(0, MESSAGE.length);
  while (reader.readSync(message) !== null) send(writer, message);
} else {
  const other = begin(mode === "stream" ? "write" : "answer");
  console.log(mode === "stream" ? stream() : talk());
  await other.status;
}

/** Starts the other program. */
function begin(role: string): Deno.ChildProcess {
  const program = new URL(import.meta.url).pathname;
  return new Deno.Command(Deno.execPath(), {
    args: ["run", "--no-check", "-A", program, role, times, there, back],
    stdin: "null",
  }).spawn();
}

function stream(): number {
  using reader = Deno.openSync(there, { read: true });
  receive(reader, WARM_UP * BLOCK.length);
  const started = performance.now();
  receive(reader, count * BLOCK.length);
  return performance.now() - started;
}

function talk(): number {
  using writer = Deno.openSync(there, { write: true });
  using reader = Deno.openSync(back, { read: true });
  const took: number[] = [];
  for (let i = 0; i < WARM_UP + count; i++) {
    const started = performance.now();
    send(writer, MESSAGE);
    receive(reader, MESSAGE.length);
    if (i >= WARM_UP) took.push(performance.now() - started);
  }
  return took.sort((a, b) => a - b)[count >> 1]! * 1e3;
}

function send(writer: Deno.FsFile, data: Uint8Array): void {
  if (writer.writeSync(data) !== data.length) throw new Error("short write");
}

/** Reads so many bytes, in pieces of a block at most. */
function receive(reader: Deno.FsFile, size: number): void {
  while (size > 0) {
    const length = reader.readSync(
      size < buffer.length ? buffer.subarray(0, size) : buffer,
    );
    if (length === null) throw new Error("the end comes too early");
    size -= length;
  }
}
