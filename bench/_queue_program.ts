/**
 * Prints what a message between processes costs in microseconds, through the library's queue.
 *
 * Arguments: how the other processes come to be (`start` or `fork`); then `one`, `into` (one array for all) or `many`, a kind of
 * item, the count and the number of producers; or `talk` or `doze`, and the count.
 *
 * @module
 */

import { poll, Queue } from "../ipc/mod.ts";
import { _exit, fork, getpid } from "../process/mod.ts";
import { waitpid } from "../wait/mod.ts";

const ITEMS: Record<string, unknown> = {
  bytes: new Uint8Array(64).fill(1),
  object: { id: 1, name: "hello", ok: true, values: [1, 2, 3] },
  block: new Uint8Array(65_536).fill(1),
};

/** How many items go at a time where many do. */
const BATCH = 100;
/** A part of all that goes before, for the compiler to know what is hot. */
const WARM_UP = 0.3;

const [how = "", mode = "", ...rest] = Deno.args;
if (how === "produce" || how === "answer") {
  other(how, mode, rest);
} else {
  console.log(
    mode === "talk" || mode === "doze"
      ? await talk(Number(rest[0]), mode === "doze")
      : await stream(mode, rest[0]!, Number(rest[1]), Number(rest[2])),
  );
}

/** What one of the other processes does. */
function other(role: string, mode: string, rest: string[]): void {
  const [name = "", kind = "", count = "0"] = rest;
  if (role === "produce") {
    const queue = Queue.open<unknown>(name);
    const go = Queue.open<number>(`${name}-2`);
    for (let round = 0; round < 2; round++) {
      go.get();
      const share = Math.round(Number(count) * (round === 0 ? WARM_UP : 1));
      produce(queue, mode, ITEMS[kind], share);
    }
  } else {
    answer(Queue.open(name), Queue.open(`${name}-2`));
  }
}

function produce(
  queue: Queue<unknown>,
  mode: string,
  item: unknown,
  count: number,
): void {
  if (mode !== "many") {
    for (let i = 0; i < count; i++) queue.put(item);
    return;
  }
  const batch = Array.from({ length: BATCH }, () => item);
  for (let i = 0; i < count; i += BATCH) queue.putMany(batch);
}

function consume(
  queue: Queue<unknown>,
  mode: string,
  kind: string,
  count: number,
): void {
  if (mode === "one") { for (let i = 0; i < count; i++) queue.get(); }
  else if (mode === "into") {
    const { length } = ITEMS[kind] as Uint8Array;
    const options = { into: new Uint8Array(length) };
    for (let i = 0; i < count; i++) queue.get(options);
  } else {
    // No more than is asked for: a producer may be a round ahead.
    for (let i = 0; i < count;) {
      i += queue.getMany(Math.min(BATCH, count - i)).length;
    }
  }
}

function answer(there: Queue<unknown>, back: Queue<unknown>): void {
  const options = { into: new Uint8Array(64) };
  for (let item; (item = there.get(options)) !== null;) back.put(item);
}

/** Two queues that others can open while the body runs. */
async function withQueues<R>(
  body: (name: string, a: Queue<unknown>, b: Queue<unknown>) => Promise<R>,
): Promise<R> {
  const name = `bench-${getpid()}`;
  using first = Queue.open<unknown>(name, { create: true });
  using second = Queue.open<unknown>(`${name}-2`, { create: true });
  try {
    return await body(name, first, second);
  } finally {
    Queue.unlink(name);
    Queue.unlink(`${name}-2`);
  }
}

/** Starts another process, as a program or as a fork, and gives how to wait for it. */
function begin(role: string, ...args: string[]): () => Promise<unknown> {
  if (how === "fork") {
    const child = fork();
    if (child === 0) {
      other(role, args[0]!, args.slice(1));
      _exit(0);
    }
    return () => Promise.resolve(waitpid(child));
  }
  const program = new URL(import.meta.url).pathname;
  const child = new Deno.Command(Deno.execPath(), {
    args: ["run", "--no-check", "--allow-ffi", program, role, ...args],
    stdin: "null",
  }).spawn();
  return () => child.status;
}

function stream(
  mode: string,
  kind: string,
  count: number,
  producers: number,
): Promise<number> {
  return withQueues(async (name, queue, go) => {
    const share = Math.ceil(count / producers / BATCH) * BATCH;
    const ends = Array.from(
      { length: producers },
      () => begin("produce", mode, name, kind, String(share)),
    );
    let took = 0;
    for (let round = 0; round < 2; round++) {
      const part = Math.round(share * (round === 0 ? WARM_UP : 1));
      const rounded = mode === "many" ? Math.ceil(part / BATCH) * BATCH : part;
      // Those who have started sleep until they are let go.
      if (round === 1) { while (!go.empty()) poll([], 1); }
      const start = performance.now();
      for (let i = 0; i < producers; i++) go.put(1);
      consume(queue, mode, kind, rounded * producers);
      took = performance.now() - start;
    }
    for (const end of ends) await end();
    return took * 1e3 / (share * producers);
  });
}

function talk(count: number, pause: boolean): Promise<number> {
  return withQueues(async (name, there, back) => {
    const end = begin("answer", "", name);
    const times: number[] = [];
    const item = ITEMS["bytes"];
    const options = { into: new Uint8Array(64) };
    const rounds = count + 2000;
    for (let i = 0; i < rounds; i++) {
      const measured = i >= 2000;
      if (pause && measured) poll([], 1);
      const start = performance.now();
      there.put(item);
      back.get(options);
      if (measured) times.push(performance.now() - start);
    }
    there.put(null);
    await end();
    // Of a few each thousand, the system makes hundreds of microseconds: it runs something else on one of two processors.
    return times.sort((a, b) => a - b)[count >> 1]! * 1e3;
  });
}
