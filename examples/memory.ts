/**
 * Memory is copied on write: what either process changes after the fork is its own.
 *
 * Mirrors os.fork() and a global variable in Python. Run it: deno task example:memory
 */
import { fork, getpid } from "../process/mod.ts";
import { waitpid } from "../wait/mod.ts";

let num = 100;

const pid = fork();
if (pid === 0) {
  num += 10;
  console.log(`child ${getpid()}: num = ${num}`);
} else {
  num += 20;
  waitpid(pid);
  console.log(`parent ${getpid()}: num = ${num}`);
}
