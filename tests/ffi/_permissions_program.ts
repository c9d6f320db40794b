/**
 * Uses every floor of the library, and prints what came of it: a call, errno, a pipe, a child that becomes another program.
 */

import { exec, ipc, PosixError, process, wait } from "../../mod.ts";

function attempt(call: () => unknown): unknown {
  try {
    return call();
  } catch (error) {
    const { name, message } = error as Error;
    return error instanceof PosixError
      ? `${name} ${error.code}`
      : `${name}: ${message}`;
  }
}

function talkToChild(): string {
  const [readable, writable] = ipc.pipe();
  const pid = process.fork();
  if (pid === 0) {
    ipc.dup2(writable, 1);
    exec.execv("/bin/sh", ["sh", "-c", "echo $PPID"]);
  }
  ipc.close(writable);
  const said = new TextDecoder().decode(ipc.readAll(readable)).trim();
  ipc.close(readable);
  const { status } = wait.waitpid(pid)!;
  return `${said === String(process.getpid())} ${status.kind}`;
}

console.log(JSON.stringify({
  pid: attempt(() => process.getpid() === Deno.pid),
  missing: attempt(() => ipc.open("/no/such/file", ipc.O_RDONLY)),
  child: attempt(talkToChild),
}));
