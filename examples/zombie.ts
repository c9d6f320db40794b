/**
 * A zombie: a child that has ended, but whose parent is busy and does not ask for its status.
 *
 * Shows what `ps` would: os.fork() and os.wait() of Python, and /proc. Run it: deno task example:zombie
 */
import { PosixError } from "../mod.ts";
import { close, O_RDONLY, open, poll, readAll } from "../ipc/mod.ts";
import { _exit, fork } from "../process/mod.ts";
import { waitpid } from "../wait/mod.ts";

/** The line of `ps` for a process: its pid, state and name; null if there is no such process. */
function ps(pid: number): string | null {
  let fd;
  try {
    fd = open(`/proc/${pid}/stat`, O_RDONLY);
  } catch (error) {
    if (error instanceof PosixError && error.code === "ENOENT") return null;
    throw error;
  }
  const stat = new TextDecoder().decode(readAll(fd));
  close(fd);
  const [, name, state] = stat.match(/^\d+ \((.*)\) (\S)/s)!;
  return `${pid} ${state} [${name}]${state === "Z" ? " <defunct>" : ""}`;
}

const pid = fork();
if (pid === 0) {
  console.log("child: ends");
  _exit(0);
}

for (let i = 0; i < 500 && !ps(pid)?.endsWith("<defunct>"); i++) {
  poll([], 10); // the parent has other things to do
}
console.log(`before the wait: ${ps(pid)}`);
waitpid(pid);
console.log(`after the wait: ${ps(pid) ?? "gone"}`);
