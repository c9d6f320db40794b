/**
 * `ps -aux | grep bash --color=auto` as a shell runs it: two children, and a parent that stays free for other things.
 *
 * The children are what subprocess.Popen would make: a fork, a dup2 and an exec each. The parent closes both ends of the
 * pipe, and from time to time asks waitpid(-1, WNOHANG) whether one of them has ended.
 *
 * Run it: deno task example:pipeline [pattern]
 */
import { execvp } from "../exec/mod.ts";
import { close, dup2, pipe, poll } from "../ipc/mod.ts";
import { PosixError } from "../mod.ts";
import { _exit, fork } from "../process/mod.ts";
import { waitpid, WNOHANG } from "../wait/mod.ts";

const pattern = Deno.args[0] ?? "bash";

const [reader, writer] = pipe();
start(writer, 1, ["ps", "-aux"]);
start(reader, 0, ["grep", pattern, "--color=auto"]);
close(reader);
close(writer); // or grep would wait for what the parent has to say

try {
  for (;;) {
    console.log("parent: doing other things");
    poll([], 20);
    for (let child; (child = waitpid(-1, WNOHANG)) !== null;) {
      console.log(`parent: reaped ${child.pid}`, child.status);
    }
  }
} catch (error) {
  if (!(error instanceof PosixError) || error.code !== "ECHILD") throw error;
  console.log("parent: no child left (ECHILD)");
}

/** Starts a child that has one end of the pipe as its standard input or output. */
function start(end: number, standardFd: 0 | 1, argv: string[]): void {
  const pid = fork();
  if (pid === 0) {
    try {
      dup2(end, standardFd); // exec keeps this copy alone: the pipe's own numbers are close-on-exec
      execvp(argv[0]!, argv);
    } catch (error) {
      console.error(error);
      _exit(127);
    }
  }
  console.log(`parent: ${argv[0]} has PID ${pid}`);
}
