/**
 * Parent and child talk through memory without a name, both ways, and events tell when there is something to read.
 *
 * Mirrors mmap.mmap(-1, length) and os.fork() in Python. Run it: deno task example:mmap-fork
 */
import { Event, SharedMemory } from "../ipc/mod.ts";
import { _exit, fork, getpid } from "../process/mod.ts";
import { waitpid } from "../wait/mod.ts";

using memory = SharedMemory.anonymous(4096);
using asked = new Event();
using answered = new Event();

const pid = fork();
if (pid === 0) {
  asked.wait();
  console.log(`child ${getpid()} reads: ${read()}`);
  write("I am, and this is your memory too");
  answered.set();
  _exit(0);
}

write("is anybody there? 有人吗?");
asked.set();
answered.wait();
console.log(`parent ${getpid()} reads: ${read()}`);
waitpid(pid);

/** Writes a text and a NUL to the beginning of the memory. */
function write(text: string): void {
  new TextEncoder().encodeInto(`${text}\0`, new Uint8Array(memory.buffer));
}

/** Reads the text up to the NUL. */
function read(): string {
  const bytes = new Uint8Array(memory.buffer);
  return new TextDecoder().decode(bytes.slice(0, bytes.indexOf(0)));
}
