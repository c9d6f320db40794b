/**
 * Sessions: the leader of a group cannot begin one, but its child can, and leads it and a group of its own.
 *
 * Mirrors os.setsid() and os.getsid() in Python. Run it: deno task example:session
 */
import { PosixError } from "../mod.ts";
import {
  fork,
  getpgrp,
  getpid,
  getsid,
  setpgid,
  setsid,
} from "../process/mod.ts";
import { waitpid } from "../wait/mod.ts";

function show(who: string): void {
  console.log(`${who}: PID ${getpid()}, PGID ${getpgrp()}, SID ${getsid()}`);
}

if (getpgrp() !== getpid()) setpgid(0, 0); // become the leader of a group
show("parent");
try {
  setsid();
} catch (error) {
  if (!(error instanceof PosixError)) throw error;
  console.log(`parent: setsid() failed with ${error.code}`);
}

const pid = fork();
if (pid === 0) {
  show("child before setsid()");
  console.log(`child: setsid() gave ${setsid()}`);
  show("child after setsid()");
} else {
  waitpid(pid);
}
