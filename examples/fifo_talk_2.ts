/**
 * The one who answers, over the FIFO on which example:fifo-talk-1 asks in another terminal. Start either of them first.
 *
 * Opened with O_RDWR, a FIFO waits for nobody, and serves both directions. Its reader never sees an end, as it could
 * itself still write: hence the poll with a time limit.
 *
 * Run it: deno task example:fifo-talk-2 [path]
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

const made = makeFifo(path);
const fd = open(path, O_RDWR);
getPipeSize(fd); // throws if it is something else than a FIFO, which is not for us to overwrite

console.log("waiting for a question");
if (poll([{ fd, events: POLLIN }], 60_000).length > 0) {
  console.log(`heard: ${new TextDecoder().decode(read(fd, PIPE_BUF))}`);
  writeAll(fd, "2: fine, thank you");
} else {
  console.log("nobody has asked");
}
close(fd);
if (made) unlink(path);
