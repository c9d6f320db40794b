/**
 * A guard: it starts a program again whenever that dies by a signal, until it ends by itself.
 *
 * Mirrors os.fork(), os.wait() and os.abort() in Python. Run it: deno task example:guard [restarts]
 */
import { poll } from "../ipc/mod.ts";
import {
  _exit,
  fork,
  getpid,
  getrlimit,
  kill,
  setParentDeathSignal,
  setrlimit,
} from "../process/mod.ts";
import { waitpid } from "../wait/mod.ts";

const restarts = Number(Deno.args[0] ?? 3);

/** What is guarded: it aborts itself after a while, except at the last of its starts. */
function program(start: number): never {
  setParentDeathSignal("SIGKILL"); // not to be left alone without its guard
  setrlimit("RLIMIT_CORE", { ...getrlimit("RLIMIT_CORE"), soft: 0 }); // no dump
  console.log(`program: start ${start}, PID ${getpid()}`);
  poll([], 200);
  if (start < restarts) kill(getpid(), "SIGABRT");
  _exit(0);
}

for (let start = 0;; start++) {
  const pid = fork();
  if (pid === 0) program(start);
  const { status } = waitpid(pid)!;
  if (status.kind !== "signaled") {
    console.log(`guard: PID ${pid} has ended, after ${start} restarts`);
    break;
  }
  console.log(`guard: PID ${pid} was ended by ${status.signal}, once more`);
}
