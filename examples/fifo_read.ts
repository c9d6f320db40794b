/**
 * The reader of a FIFO, for example:fifo-write in another terminal: os.mkfifo(), os.open() and os.read() of Python.
 *
 * Either of the two may be started first. It reads until every writer is gone, or until it has read as often as it was
 * told to.
 *
 * Run it: deno task example:fifo-read [path] [number of reads]
 */
import { close, O_RDONLY, open, PIPE_BUF, read, unlink } from "../ipc/mod.ts";
import { makeFifo } from "./_make_fifo.ts";

const path = Deno.args[0] ?? "/tmp/example-fifo";
const count = Number(Deno.args[1] ?? Infinity);

const made = makeFifo(path);
console.log(`waiting for a writer to ${path}`);
const fd = open(path, O_RDONLY);

for (let reads = 0; reads < count; reads++) {
  const bytes = read(fd, PIPE_BUF);
  if (bytes.length === 0) {
    console.log("every writer is gone");
    break;
  }
  console.log(`read: ${new TextDecoder().decode(bytes).trimEnd()}`);
}
close(fd);
if (made) unlink(path);
