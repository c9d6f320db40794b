/**
 * The one who asks, over the FIFO on which example:fifo-talk-2 answers in another terminal. Start either of them first.
 *
 * Opened with O_RDWR, a FIFO waits for nobody, and serves both directions. But it is one queue: whoever reads first gets
 * what is in it, and that may be the question's own author.
 *
 * Run it: deno task example:fifo-talk-1 [path]
 */
import {
  close,
  getPipeSize,
  O_RDWR,
  open,
  PIPE_BUF,
  poll,
  POLLIN,
  read,
  unlink,
  writeAll,
} from "../ipc/mod.ts";
import { makeFifo } from "./_make_fifo.ts";

const path = Deno.args[0] ?? "/tmp/example-fifo-talk";
const question = "1: how are you?";

const made = makeFifo(path);
const fd = open(path, O_RDWR);
getPipeSize(fd); // throws if it is something else than a FIFO, which is not for us to overwrite

console.log(`asking: ${question}`);
let heard = question;
for (let tries = 0; tries < 600 && heard === question; tries++) {
  writeAll(fd, question); // for the first time, or back: it was for the other one
  poll([], 100);
  if (poll([{ fd, events: POLLIN }], 5000).length === 0) break; // somebody took it, and is silent
  heard = new TextDecoder().decode(read(fd, PIPE_BUF));
}
console.log(heard === question ? "nobody has answered" : `heard: ${heard}`);
close(fd);
if (made) unlink(path);
