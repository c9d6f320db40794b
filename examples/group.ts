/**
 * Process groups: children are born into their parent's group, can be moved to another, and are signalled as one.
 *
 * Mirrors os.getpgrp(), os.setpgid() and os.killpg() in Python. Run it: deno task example:group
 */
import { pipe, poll, read, write } from "../ipc/mod.ts";
import {
  _exit,
  fork,
  getpgid,
  getpgrp,
  getpid,
  getppid,
  killpg,
  setpgid,
} from "../process/mod.ts";
import { waitpid } from "../wait/mod.ts";

const [reader, writer] = pipe();

function child(): never {
  console.log(`child: PID ${getpid()}, PPID ${getppid()}, PGID ${getpgrp()}`);
  write(writer, "!");
  poll([], 10_000); // sleep until the signal comes
  _exit(0);
}

console.log(`parent: PID ${getpid()}, PPID ${getppid()}, PGID ${getpgrp()}`);
const first = fork();
if (first === 0) child();
const second = fork();
if (second === 0) child();
for (let seen = 0; seen < 2; seen++) read(reader, 1);

setpgid(first, first); // a new group, with the first child as its leader
setpgid(second, first);
console.log("after setpgid:");
console.log(`parent: PGID ${getpgrp()}`);
console.log(`first child ${first}: PGID ${getpgid(first)}`);
console.log(`second child ${second}: PGID ${getpgid(second)}`);

killpg(first, "SIGTERM");
console.log("after killpg:");
console.log(`first child ${first}: status ${waitpid(first)!.raw}`);
console.log(`second child ${second}: status ${waitpid(second)!.raw}`);
