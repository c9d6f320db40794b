/**
 * Waiting for all children, however each of them ends: in a loop, until ECHILD says that there is none left.
 *
 * Mirrors os.wait() and ChildProcessError in Python. Run it: deno task example:wait-all
 */
import { PosixError } from "../mod.ts";
import { poll } from "../ipc/mod.ts";
import { _exit, fork, getpid, getppid, kill } from "../process/mod.ts";
import { wait } from "../wait/mod.ts";

/** What a child does. It never comes back, or it would go on with its parent's loop and have children of its own. */
function work(milliseconds: number): never {
  console.log(`child ${getpid()}: PPID ${getppid()}`);
  if (milliseconds === Infinity) { for (;;); }
  poll([], milliseconds); // sleep
  _exit(0);
}

const pids: number[] = [];
for (const milliseconds of [100, 100, Infinity]) {
  const pid = fork();
  if (pid === 0) work(milliseconds);
  pids.push(pid);
}
console.log(`parent ${getpid()}: children ${pids.join(", ")}`);

for (let reaped = 0;;) {
  if (reaped === 2) kill(pids[2]!, "SIGKILL"); // the one that loops for ever
  try {
    const { pid, raw } = wait();
    reaped++;
    console.log(`parent: reaped ${pid}, status ${raw}`);
  } catch (error) {
    if (!(error instanceof PosixError && error.code === "ECHILD")) throw error;
    console.log(`parent: ${error.code}, no child is left`);
    break;
  }
}
