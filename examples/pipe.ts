/**
 * `ps aux | grep <word>`, wired by hand: os.pipe(), os.fork(), os.dup2() and os.execlp() of Python.
 *
 * The parent becomes ps, whose standard output is the writing end of the pipe; the child becomes grep, whose standard
 * input is the reading end. The list of processes goes from one to the other, and never through this program.
 *
 * pipe() gives close-on-exec ends: the two programs keep the copies that dup2() makes. ps keeps `writer` as well, so that
 * the pipe is open until ps is gone, and grep ends after it; else ps may live to see SIGCHLD, and call it a bug.
 *
 * Run it: deno task example:pipe [word]
 */
import { execlp } from "../exec/mod.ts";
import { close, dup2, pipe, setCloexec } from "../ipc/mod.ts";
import { PosixError } from "../mod.ts";
import { _exit, fork } from "../process/mod.ts";

const word = Deno.args[0] ?? "deno";

const [reader, writer] = pipe();

try {
  if (fork() === 0) {
    close(writer);
    dup2(reader, 0);
    execlp("grep", "grep", "--", word);
  } else {
    close(reader);
    dup2(writer, 1);
    setCloexec(writer, false);
    execlp("ps", "ps", "aux");
  }
} catch (error) {
  // Whoever comes here, child or parent, has not become its program.
  const missing = error instanceof PosixError && error.code === "ENOENT";
  console.error(missing ? `${error.path} is not installed` : error);
  _exit(127);
}
