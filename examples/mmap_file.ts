/**
 * A file as memory: what is written to the one is in the other, in both directions, and both can grow.
 *
 * Mirrors mmap.mmap(fd, length) in Python. Run it: deno task example:mmap-file [path]
 */
import {
  close,
  O_RDWR,
  open,
  readAll,
  SharedMemory,
  write,
} from "../ipc/mod.ts";
import { getpid } from "../process/mod.ts";

const path = Deno.args[0] ?? `/tmp/example-mmap-${getpid()}.txt`;
const encoder = new TextEncoder();
const decoder = new TextDecoder();

using memory = SharedMemory.map(path, {
  create: true,
  exclusive: true,
  bytes: 14,
});
encoder.encodeInto("hello, memory\n", new Uint8Array(memory.buffer));
memory.sync(); // for the disk: who reads the file sees it even so

const file = open(path, O_RDWR);
console.log(`the file holds: ${decoder.decode(readAll(file)).trimEnd()}`);

memory.resize(26);
write(file, "hello, file\n"); // where the reading has ended, after the first line
close(file);
const [, second] = decoder.decode(memory.buffer).split("\n");
console.log(`the memory, now ${memory.byteLength} bytes, holds: ${second}`);

if (Deno.args.length === 0) memory.unlink();
