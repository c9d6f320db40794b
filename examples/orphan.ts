/**
 * An orphan: its parent exits first, and it gets another parent: process 1, or the nearest ancestor that has declared
 * itself a child subreaper.
 *
 * Mirrors os.fork() and os.getppid() in Python. Run it: deno task example:orphan
 */
import { pipe, poll, read, write } from "../ipc/mod.ts";
import { fork, getpid, getppid } from "../process/mod.ts";

const [reader, writer] = pipe();
const parent = getpid();

const pid = fork();
if (pid !== 0) {
  read(reader, 1); // until the child has seen its parent
  console.log(`parent ${parent}: exits before its child ${pid}`);
} else {
  console.log(`child ${getpid()}: PPID before ${getppid()}`);
  write(writer, "!");
  for (let i = 0; i < 500 && getppid() === parent; i++) {
    poll([], 10); // sleep for 10 ms
  }
  console.log(`child ${getpid()}: PPID after ${getppid()}`);
}
