/**
 * The parent loses patience with a child that does not end, kills it, and reaps it.
 *
 * Mirrors os.kill(pid, signal.SIGKILL) in Python. Run it: deno task example:kill
 */
import { poll } from "../ipc/mod.ts";
import { fork, kill } from "../process/mod.ts";
import { waitpid, WNOHANG } from "../wait/mod.ts";

const pid = fork();
if (pid === 0) {
  for (;;); // it never ends by itself
}

for (let patience = 3; patience > 0; patience--) {
  if (waitpid(pid, WNOHANG) === null) {
    console.log(`parent: child ${pid} still runs, patience ${patience}`);
  }
  poll([], 50); // sleep for 0.05 s
}
kill(pid, "SIGKILL");
console.log(`parent: SIGKILL sent to ${pid}`);
console.log(`parent: child ${pid} ended with status ${waitpid(pid)!.raw}`);
