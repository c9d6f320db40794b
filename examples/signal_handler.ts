/**
 * SIGINT is caught and answered, SIGQUIT is ignored, and the program goes on: press Ctrl-C and Ctrl-\ while it runs. Its child sends
 * both as well.
 *
 * Mirrors signal.signal(SIGINT, handler) and signal.signal(SIGQUIT, SIG_IGN) in Python. Run it: deno task example:signal-handler
 */
import { poll } from "../ipc/mod.ts";
import {
  _exit,
  fork,
  getpid,
  intervals,
  kill,
  setSignal,
  signals,
} from "../process/mod.ts";
import { waitpid } from "../wait/mod.ts";

setSignal("SIGQUIT", "ignore");
const interrupts = signals("SIGINT");

const parent = getpid();
const child = fork();
if (child === 0) {
  for (const signal of ["SIGQUIT", "SIGINT"] as const) {
    poll([], 100); // sleep for 0.1 s
    kill(parent, signal);
    console.log(`child ${getpid()}: ${signal} sent`);
  }
  _exit(0);
}

// This goes on beside the work below.
(async () => {
  for await (const { signal, pid } of interrupts) {
    console.log(`parent ${parent}: ${signal} from process ${pid}, no thanks`);
  }
})();

let seconds = 0;
for await (const missed of intervals(100)) {
  seconds += (1 + missed) / 10;
  console.log(`parent ${parent}: at work for ${seconds.toFixed(1)} s`);
  if (seconds >= 0.5) break;
}
await interrupts.return();
console.log(`parent ${parent}: child has ended, ${waitpid(child)!.raw}`);
console.log(`parent ${parent}: still alive`);
