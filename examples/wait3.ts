/**
 * As `waitpid`, and the parent learns what the child has used.
 *
 * Mirrors os.wait3(os.WNOHANG) in Python. Run it: deno task example:wait3
 */
import { PosixError } from "../mod.ts";
import { poll } from "../ipc/mod.ts";
import { _exit, fork } from "../process/mod.ts";
import { wait3, WNOHANG } from "../wait/mod.ts";

const child = fork();
if (child === 0) {
  for (const end = performance.now() + 200; performance.now() < end;);
  poll([], 100); // sleep for 0.1 s
  _exit(0);
}
console.log(`parent: child ${child}`);

for (;;) {
  try {
    const ended = wait3(WNOHANG);
    if (ended === null) {
      console.log("parent: busy with other things");
      poll([], 50);
      continue;
    }
    const { pid, raw, rusage } = ended;
    console.log(`parent: wait3() gave (${pid}, ${raw})`);
    console.log(`  user time     ${rusage.utime} s`);
    console.log(`  system time   ${rusage.stime} s`);
    console.log(`  max RSS       ${rusage.maxrss} KiB`);
    console.log(
      `  page faults   ${rusage.minflt} minor, ${rusage.majflt} major`,
    );
    console.log(
      `  ctx switches  ${rusage.nvcsw} voluntary, ${rusage.nivcsw} not`,
    );
  } catch (error) {
    if (!(error instanceof PosixError && error.code === "ECHILD")) throw error;
    console.log(`parent: ${error.code}, no child is left`);
    break;
  }
}
