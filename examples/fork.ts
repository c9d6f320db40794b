/**
 * One process becomes two: os.fork(), os.getpid() and os.getppid() of Python.
 *
 * Both go on after the fork with the same program; fork() returns 0 in the child, and the child's pid in the parent.
 *
 * Run it: deno task example:fork
 */
import { fork, getpid, getppid } from "../process/mod.ts";
import { waitpid } from "../wait/mod.ts";

console.log(`before the fork: PID ${getpid()}`);

const pid = fork();
if (pid === 0) {
  console.log(`child: PID ${getpid()}, PPID ${getppid()}`);
} else {
  console.log(`parent: PID ${getpid()}, PPID ${getppid()}, child ${pid}`);
}

console.log(`after the fork: PID ${getpid()}`);

if (pid !== 0) waitpid(pid); // so that the child has its parent while it runs, and leaves no zombie
