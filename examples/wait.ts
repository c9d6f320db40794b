/**
 * The parent waits for a child that ends normally.
 *
 * Mirrors os.wait() and os.WIFEXITED() in Python. Run it: deno task example:wait
 */
import { poll } from "../ipc/mod.ts";
import { _exit, fork, getpid } from "../process/mod.ts";
import { wait, WIFEXITED } from "../wait/mod.ts";

const child = fork();
if (child === 0) {
  console.log(`child ${getpid()}: works`);
  poll([], 100); // sleep for 0.1 s
  _exit(0);
}

const { pid, raw } = wait();
console.log(`parent: wait() gave (${pid}, ${raw})`);
if (WIFEXITED(raw)) console.log(`parent: child ${pid} exited normally`);
