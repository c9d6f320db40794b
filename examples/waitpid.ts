/**
 * The parent does other work, and asks from time to time whether its child has ended.
 *
 * Mirrors os.waitpid(0, os.WNOHANG) in Python. Run it: deno task example:waitpid
 */
import { PosixError } from "../mod.ts";
import { poll } from "../ipc/mod.ts";
import { _exit, fork } from "../process/mod.ts";
import { waitpid, WNOHANG } from "../wait/mod.ts";

const child = fork();
if (child === 0) {
  poll([], 300); // sleep for 0.3 s
  _exit(0);
}
console.log(`parent: child ${child}`);

for (;;) {
  try {
    const ended = waitpid(0, WNOHANG); // 0: any child of the same process group
    if (ended === null) {
      console.log("parent: busy with other things");
      poll([], 50);
    } else {
      console.log(`parent: waitpid() gave (${ended.pid}, ${ended.raw})`);
    }
  } catch (error) {
    if (!(error instanceof PosixError && error.code === "ECHILD")) throw error;
    console.log(`parent: ${error.code}, no child is left`);
    break;
  }
}
