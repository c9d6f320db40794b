/** Waits for two ticks; then catches a signal that nobody waits for, and ends. */
import { getpid } from "../../process/ids.ts";
import { kill } from "../../process/kill.ts";
import { setitimer } from "../../process/timers.ts";
import { setSignal } from "../../process/set_signal.ts";
import { signals } from "../../process/signal_stream.ts";

// Deno catches this one of its own accord a moment after the start; that must not undo what is set here.
setSignal("SIGTERM", "ignore");
setitimer("ITIMER_REAL", 0.4, 0.4);
let ticks = 0;
for await (const { signal } of signals("SIGALRM")) {
  console.log(signal);
  if (++ticks === 2) break;
}
setitimer("ITIMER_REAL", 0);
kill(getpid(), "SIGTERM");
await new Promise((resolve) => setTimeout(resolve, 50));
console.log("SIGTERM ignored");
signals("SIGUSR1");
console.log("the end");
