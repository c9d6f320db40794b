/**
 * A child becomes another program: os.execl("/bin/ls", "ls", "-al") and os.execlp("ls", "ls", "-al") of Python.
 *
 * execl() takes a path, execlp() a name that is looked for on PATH. Neither returns: the line after it never runs.
 *
 * Run it: deno task example:exec
 */
import { execl, execlp } from "../exec/mod.ts";
import { fork, getpid } from "../process/mod.ts";
import { waitpid } from "../wait/mod.ts";

const first = fork();
if (first === 0) {
  console.log(`child: PID ${getpid()} becomes /bin/ls`);
  execl("/bin/ls", "ls", "-al");
  console.log("child: the line after exec");
}
console.log(`parent: child ${first} has ended with ${waitpid(first)!.raw}`);

const second = fork();
if (second === 0) {
  console.log(`child: PID ${getpid()} becomes the ls that is on PATH`);
  execlp("ls", "ls", "-al");
  console.log("child: the line after exec");
}
console.log(`parent: child ${second} has ended with ${waitpid(second)!.raw}`);

console.log("----------");
