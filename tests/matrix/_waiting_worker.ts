/** A worker that waits for a program, which ends when its input does: tells its own thread's number and the program's pid. */

import { spawn } from "../../exec/mod.ts";

const stdin = Number(new URL(import.meta.url).searchParams.get("stdin"));
const cat = spawn("cat", [], { stdin, stdout: "null" });
cat.status;
const tid = Number(Deno.readLinkSync("/proc/thread-self").split("/").at(-1));
const { postMessage } = globalThis as unknown as Pick<Worker, "postMessage">;
postMessage([tid, cat.pid]);
