/**
 * What one given child of two has used, whichever of them ended first.
 *
 * Mirrors os.wait4(pid, 0) in Python. Run it: deno task example:wait4
 */
import { _exit, fork } from "../process/mod.ts";
import { wait4 } from "../wait/mod.ts";

const lazy = fork();
if (lazy === 0) _exit(1);

const diligent = fork();
if (diligent === 0) {
  for (const end = performance.now() + 300; performance.now() < end;);
  _exit(2);
}

console.log(`parent: lazy child ${lazy}, diligent child ${diligent}`);
for (const child of [diligent, lazy]) {
  const { pid, raw, rusage } = wait4(child)!;
  const cpu = (rusage.utime + rusage.stime).toFixed(3);
  console.log(
    `parent: child ${pid}, status ${raw}, ${cpu} s of CPU, ${rusage.maxrss} KiB`,
  );
}
