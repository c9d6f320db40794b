/**
 * Two unrelated processes talk through named queues: each hears on the one of its own name, and puts what is typed into the
 * other's. Whoever is not there yet finds everything waiting.
 *
 * Run it in two terminals: deno task example:chat alice bob, and: deno task example:chat bob alice
 */
import { Queue } from "../ipc/mod.ts";
import { PosixError } from "../mod.ts";
import { getpid } from "../process/mod.ts";

interface Line {
  pid: number;
  text: string | null; // null: has left
}

const [me = "alice", other = "bob"] = Deno.args;
const mine = `example-chat-${me}`;
const theirs = `example-chat-${other}`;
using inbox = Queue.open<Line>(mine, { create: true });
using outbox = Queue.open<Line>(theirs, { create: true });
console.log(`${me} is process ${getpid()}`);

await Promise.race([listen(), talk()]);
Deno.exit(); // the other of the two still waits

/** Prints what comes, until the other one leaves. */
async function listen(): Promise<void> {
  for await (const { pid, text } of inbox) {
    if (text === null) break;
    console.log(`${other} (${pid}): ${text}`);
  }
  console.log(`${other} has left`);
  forget(mine);
  forget(theirs);
}

/** Sends what is typed, until the input ends. */
async function talk(): Promise<void> {
  let rest = "";
  for await (
    const chunk of Deno.stdin.readable.pipeThrough(new TextDecoderStream())
  ) {
    const lines = (rest + chunk).split("\n");
    rest = lines.pop()!;
    for (const text of lines) await outbox.putAsync({ pid: getpid(), text });
  }
  await outbox.putAsync({ pid: getpid(), text: null });
  forget(mine);
}

/** Removes a name; those who have the queue open keep it. */
function forget(name: string): void {
  try {
    Queue.unlink(name);
  } catch (error) {
    if (!(error instanceof PosixError && error.code === "ENOENT")) throw error;
  }
}
