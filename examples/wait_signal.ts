/**
 * The parent waits for a child that is killed by a signal: the status word is then the signal's number.
 *
 * Mirrors os.wait(), os.WIFSIGNALED() and os.WTERMSIG() in Python. Run it: deno task example:wait-signal
 */
import { fork, kill, signalName } from "../process/mod.ts";
import { wait, WIFSIGNALED, WTERMSIG } from "../wait/mod.ts";

const child = fork();
if (child === 0) {
  for (;;); // until somebody kills it
}

console.log(`parent: kills child ${child}`);
kill(child, 9);
const { pid, raw } = wait();
console.log(`parent: wait() gave (${pid}, ${raw})`);
if (WIFSIGNALED(raw)) {
  console.log(`parent: child ${pid} killed by ${signalName(WTERMSIG(raw))}`);
}
