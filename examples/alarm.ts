/**
 * An alarm clock ends a counter that would never end: a second later, SIGALRM kills the process.
 *
 * Mirrors signal.alarm(1) in Python. Run it: deno task example:alarm
 */
import { poll } from "../ipc/mod.ts";
import { alarm } from "../process/mod.ts";

alarm(1);
for (let count = 1;; count++) {
  console.log(`count ${count}`);
  poll([], 100); // sleep for 0.1 s
}
