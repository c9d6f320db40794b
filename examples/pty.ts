/**
 * A child in a terminal of its own: pty.fork() of Python.
 *
 * The child leads a session, and the pseudo-terminal is its controlling terminal; then it becomes a shell that says so. The
 * parent reads what is printed there until nobody has the terminal open any more.
 *
 * Run it: deno task example:pty
 */
import { execlp } from "../exec/mod.ts";
import { isatty, readableStream } from "../ipc/mod.ts";
import { forkpty, getpid, getsid } from "../process/mod.ts";
import { waitpid } from "../wait/mod.ts";

const { pid, controller, name } = forkpty({ columns: 80, rows: 24 });

if (pid === 0) {
  console.log(`child: isatty is ${isatty(0)}`);
  console.log(`child: session leader is ${getsid() === getpid()}`);
  execlp("sh", "sh", "-c", "tty; stty size; echo to the terminal > /dev/tty");
}

console.log(`parent: child ${pid} has ${name}`);
const output = await new Response(readableStream(controller)).text();
console.log(output.trimEnd().replaceAll("\r\n", "\n").replaceAll(/^/gm, "  "));
console.log(`parent: child has ended with ${waitpid(pid)!.raw}`);
