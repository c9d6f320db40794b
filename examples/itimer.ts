/**
 * An interval timer: SIGALRM after 0.1 s, and then every 0.3 s, while the main program goes on with something else.
 *
 * Mirrors signal.setitimer(signal.ITIMER_REAL, 0.1, 0.3) in Python. Run it: deno task example:itimer
 */
import { setitimer, signals } from "../process/mod.ts";

const alarms = signals("SIGALRM"); // before the timer is set: uncaught, it would end the program
const start = performance.now();
const seconds = () => ((performance.now() - start) / 1000).toFixed(3);
setitimer("ITIMER_REAL", 0.1, 0.3);

let rounds = 0;
const main = setInterval(() => console.log(`main: round ${++rounds}`), 50);

let ticks = 0;
for await (const { signal } of alarms) {
  console.log(`tick ${++ticks} (${signal}) after ${seconds()} s`);
  if (ticks === 4) break;
}

const { interval } = setitimer("ITIMER_REAL", 0);
console.log(`timer stopped, its interval was ${interval} s`);
clearInterval(main);
