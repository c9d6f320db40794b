/**
 * The slow writer of a FIFO, for example:fifo-read in another terminal: os.mkfifo(), os.open() and os.write() of Python.
 *
 * Either of the two may be started first. With nobody left to read, a write fails with EPIPE: Deno ignores SIGPIPE, which
 * would otherwise end the program.
 *
 * Run it: deno task example:fifo-write [path] [number of messages]
 */
import {
  close,
  getPipeSize,
  O_WRONLY,
  open,
  poll,
  unlink,
  writeAll,
} from "../ipc/mod.ts";
import { PosixError } from "../mod.ts";
import { makeFifo } from "./_make_fifo.ts";

const path = Deno.args[0] ?? "/tmp/example-fifo";
const count = Number(Deno.args[1] ?? 10);

const made = makeFifo(path);
console.log(`waiting for a reader of ${path}`);
const fd = open(path, O_WRONLY);
getPipeSize(fd); // throws if it is something else than a FIFO, which is not for us to overwrite

try {
  for (let number = 1; number <= count; number++) {
    writeAll(fd, `message ${number}\n`);
    console.log(`wrote message ${number}`);
    poll([], 200);
  }
  console.log("all messages are written");
} catch (error) {
  if (!(error instanceof PosixError) || error.code !== "EPIPE") throw error;
  console.log("every reader is gone (EPIPE), so nothing more is written");
}
close(fd);
if (made) unlink(path);
