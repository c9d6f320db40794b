/**
 * Eight processes on one small queue, of which one after the other is killed, whatever it is doing. Every message says what it
 * must look like; nothing may be torn, come twice or out of order, and nobody may be stuck. Prints figures.
 *
 * Run as `deno task soak:queue [--seconds 60]`.
 *
 * @module
 */

import { forkWithAsync } from "../_fork_with_async.ts";
import { poll } from "../../ipc/poll.ts";
import { Queue } from "../../ipc/queue.ts";
import { QueueClosed, QueueEmpty, QueueFull } from "../../ipc/queue_errors.ts";
import { SharedMemory } from "../../ipc/shared_memory.ts";
import { kill } from "../../process/kill.ts";
import { WNOHANG } from "../../ffi/constants.ts";
import { waitpid } from "../../wait/wait.ts";

const PRODUCERS = 4;
const CONSUMERS = 4;

/** What one producer puts at most before it ends; and how many producers there can be, one after the other. */
const MESSAGES = 1 << 14;
const MOST_PRODUCERS = 1 << 13;

/** The longest time without a message, or until all have ended, in milliseconds. */
const PATIENCE = 10_000;

const index = Deno.args.indexOf("--seconds");
const seconds = index === -1 ? 60 : Number(Deno.args[index + 1]);
if (!(seconds > 0)) throw new RangeError("--seconds must be above 0");

/** Which messages of which producer have come, and how many each has put for certain. */
using memory = SharedMemory.anonymous(
  MOST_PRODUCERS * MESSAGES + MOST_PRODUCERS * 4 + 64,
);
const received = new Uint8Array(memory.buffer, 0, MOST_PRODUCERS * MESSAGES);
const put = new Int32Array(
  memory.buffer,
  received.length,
  MOST_PRODUCERS,
);
const totals = new Int32Array(
  memory.buffer,
  received.length + put.byteLength,
  2,
);
const RECEIVED = 0;
const FAULTS = 1;

type Message =
  | Uint8Array
  | string
  | Record<string, unknown>
  | Map<string, unknown>;

using queue = new Queue<Message>(0, { bytes: 16_384 });
using narrow = new Queue<Message>(2, { bytes: 16_384 });

/** What the message of that number is: of different kinds and sizes, now and then one that the ring is too small for. */
function message(producer: number, number: number): Message {
  const mixed = Math.imul(producer * 31 + number + 1, 0x9e37_79b1) >>> 0;
  const size = number % 97 === 0 ? 5000 + mixed % 40_000 : 12 + mixed % 300;
  switch (mixed >>> 29) {
    case 0:
      return new Map<string, unknown>([["from", producer], ["no", number]]);
    case 1:
    case 2:
      return { from: producer, no: number, list: [mixed, `${mixed}`, null] };
    case 3:
    case 4:
      return `${producer}:${number}:`.padEnd(size, `${mixed}é`);
    default: {
      const bytes = new Uint8Array(size);
      new DataView(bytes.buffer).setUint32(0, producer);
      new DataView(bytes.buffer).setUint32(4, number);
      for (let i = 8; i < size; i++) bytes[i] = mixed >>> (i % 24);
      return bytes;
    }
  }
}

function origin(message: Message): [producer: number, number: number] {
  if (message instanceof Uint8Array) {
    const view = new DataView(message.buffer);
    return [view.getUint32(0), view.getUint32(4)];
  }
  if (message instanceof Map) {
    return [message.get("from") as number, message.get("no") as number];
  }
  if (typeof message === "string") {
    const [producer, number] = message.split(":", 2).map(Number);
    return [producer!, number!];
  }
  return [message.from as number, message.no as number];
}

function same(a: Message, b: Message): boolean {
  if (a instanceof Uint8Array) {
    return b instanceof Uint8Array && a.length === b.length &&
      a.every((byte, index) => byte === b[index]);
  }
  if (a instanceof Map) {
    return b instanceof Map &&
      JSON.stringify([...a]) === JSON.stringify([...b]);
  }
  return JSON.stringify(a) === JSON.stringify(b);
}

function fault(text: string): void {
  Atomics.add(totals, FAULTS, 1);
  console.error(text);
}

/** The number of the last message of each producer that this process got. */
const last = new Map<number, number>();

function check(got: Message): void {
  const [producer, number] = origin(got);
  if (
    !(producer >= 0 && producer < MOST_PRODUCERS && number < MESSAGES) ||
    !same(got, message(producer, number))
  ) {
    return fault(`torn: ${producer}, ${number}`);
  }
  if (number <= (last.get(producer) ?? -1)) {
    fault(`out of order: ${producer}, ${number} after ${last.get(producer)}`);
  }
  last.set(producer, number);
  if (Atomics.add(received, producer * MESSAGES + number, 1) !== 0) {
    fault(`twice: ${producer}, ${number}`);
  }
  Atomics.add(totals, RECEIVED, 1);
}

/** Puts messages in one way or another, until there are enough or the queue is closed. */
async function produce(producer: number): Promise<void> {
  const target = producer % 3 === 0 ? narrow : queue;
  for (let number = 0; number < MESSAGES;) {
    const count = producer % 4 === 1
      ? Math.min(1 + number % 7, MESSAGES - number)
      : 1;
    const messages = Array.from(
      { length: count },
      (_, i) => message(producer, number + i),
    );
    if (producer % 4 === 1) {
      const done = target.putMany(messages, { timeout: 50 });
      number += done;
      Atomics.add(put, producer, done);
      continue;
    }
    try {
      if (producer % 4 === 2) await target.putAsync(messages[0]!);
      else if (producer % 4 === 3) target.put(messages[0]!, { timeout: 5 });
      else target.put(messages[0]!);
    } catch (error) {
      if (error instanceof QueueFull) continue;
      throw error;
    }
    number++;
    Atomics.add(put, producer, 1);
  }
}

/** Gets messages in one way or another until the queue is closed. */
async function consume(consumer: number): Promise<void> {
  const source = consumer % 2 === 0 ? narrow : queue;
  for (;;) {
    try {
      if (consumer % 4 === 3) check(await source.getAsync());
      else if (consumer % 4 === 2) check(source.get({ timeout: 5 }));
      else if (consumer % 8 === 1) source.getMany(5).forEach(check);
      else check(source.get());
    } catch (error) {
      if (!(error instanceof QueueEmpty)) throw error;
    }
  }
}

async function untilClosed(body: Promise<void>): Promise<number> {
  try {
    await body;
  } catch (error) {
    if (!(error instanceof QueueClosed)) throw error;
  }
  return 0;
}

/** Those who are at work, by their pid. */
const workers = new Map<number, "producer" | "consumer">();
let producers = 0;
let consumers = 0;

async function start(kind: "producer" | "consumer"): Promise<void> {
  const number = kind === "producer" ? producers++ : consumers++;
  const pid = await forkWithAsync(() =>
    untilClosed(kind === "producer" ? produce(number) : consume(number))
  );
  workers.set(pid, kind);
}

/** Reaps those that have ended, all of which must be done with their work. */
function reap(): ("producer" | "consumer")[] {
  const ended: ("producer" | "consumer")[] = [];
  for (const [pid, kind] of workers) {
    const result = waitpid(pid, WNOHANG);
    if (result === null) continue;
    if (result.raw !== 0) fault(`${kind} ${pid} ended with ${result.raw}`);
    workers.delete(pid);
    ended.push(kind);
  }
  return ended;
}

for (let i = 0; i < PRODUCERS; i++) await start("producer");
for (let i = 0; i < CONSUMERS; i++) await start("consumer");
const kills = { producer: 0, consumer: 0 };
const end = performance.now() + seconds * 1000;
let progress = { at: performance.now(), count: 0 };
let stuck = false;
// On a slow machine it may take longer until there are some of both kinds.
const goesOn = () =>
  performance.now() < end || kills.producer === 0 || kills.consumer === 0;
while (goesOn() && producers < MOST_PRODUCERS) {
  poll([], Math.floor(Math.random() * 12));
  const victims = [...workers];
  const [pid, kind] = victims[Math.floor(Math.random() * victims.length)]!;
  // One that has ended by itself may still be killed: it is there until it is reaped.
  kill(pid, "SIGKILL");
  const { raw } = waitpid(pid)!;
  if (raw !== 9 && raw !== 0) fault(`${kind} ${pid} ended with ${raw}`);
  workers.delete(pid);
  if (raw === 9) kills[kind]++;
  for (const ended of [kind, ...reap()]) await start(ended);
  const count = Atomics.load(totals, RECEIVED);
  if (count !== progress.count) progress = { at: performance.now(), count };
  else if (performance.now() - progress.at > PATIENCE) {
    stuck = true;
    break;
  }
}
queue.close();
narrow.close();
const deadline = performance.now() + PATIENCE;
while (workers.size > 0 && performance.now() < deadline) {
  reap();
  poll([], 5);
}
for (const [pid, kind] of workers) {
  stuck = true;
  console.error(`${kind} ${pid} is stuck`);
  kill(pid, "SIGKILL");
  waitpid(pid);
}
// What the last consumers have left behind, if they were killed and nobody came after them.
for (const left of [queue, narrow]) {
  try {
    for (;;) check(left.getNowait());
  } catch (error) {
    if (!(error instanceof QueueClosed)) throw error;
  }
}
// A message that was put and has not come was got by one who was killed before it could say so: at most five by each.
let lost = 0;
for (let producer = 0; producer < producers; producer++) {
  for (let number = 0; number < put[producer]!; number++) {
    if (received[producer * MESSAGES + number] === 0) lost++;
  }
}
const faults = totals[FAULTS]!;
const passed = faults === 0 && !stuck && lost <= kills.consumer * 5 &&
  totals[RECEIVED]! > 0 && kills.producer > 0 && kills.consumer > 0;
console.log(
  `${
    totals[RECEIVED]
  } messages from ${producers} producers to ${consumers} consumers, ` +
    `${kills.producer} and ${kills.consumer} of them killed: ` +
    `${faults} faults, ${lost} lost in the hands of those killed, ` +
    `${stuck ? "stuck" : "nobody stuck"}: ${passed ? "passed" : "FAILED"}`,
);
if (!passed) Deno.exitCode = 1;
