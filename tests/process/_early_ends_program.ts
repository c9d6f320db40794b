/**
 * Forks children that end at all moments of their first two milliseconds, in which their V8 gets its threads: by having no more to
 * do, and by `Deno.exit`. Says so if one has ended in any other way.
 */
import { fork } from "../../process/mod.ts";
import { waitpid } from "../../wait/mod.ts";

const STEP = 0.05;
const STEPS = 40;
const CODES = { end: 0, exit: 3 } as const;

function workFor(milliseconds: number): void {
  const start = performance.now();
  while (performance.now() - start < milliseconds);
}

let isParent = true;
fork: for (const [way, code] of Object.entries(CODES)) {
  for (let step = 0; step < STEPS; step++) {
    const child = fork();
    isParent = child !== 0;
    if (!isParent) {
      workFor(step * STEP);
      if (way === "exit") Deno.exit(code);
      break fork;
    }
    const { status } = waitpid(child)!;
    if (status.kind === "exited" && status.code === code) continue;
    console.log(`${way}, step ${step}: ${JSON.stringify(status)}`);
  }
}
if (isParent) console.log("all as they should");
