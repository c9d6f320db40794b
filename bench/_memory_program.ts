/**
 * The Deno that `memory.ts` measures: it fills its heap with as many MB as its argument says, and then answers each line: "idle" with
 * the bytes that a forked child which does nothing has for itself, "workers" with what ten cost that have looked things up.
 */

import { type ChildProcess, forkChild } from "../process/mod.ts";

const WORKERS = 10;
const LOOK_UPS = 1000;

const { gc } = globalThis as {
  gc?(options: { type: "major"; flavor: "last-resort" }): void;
};
const table: { id: number; name: string; values: number[] }[] = [];
while (Deno.memoryUsage().heapUsed < Number(Deno.args[0]) * 1e6) {
  for (let i = 0; i < 5000; i++) {
    const id = table.length;
    table.push({ id, name: `row ${id}`, values: [id, id / 2, id / 3] });
  }
}

function sleep(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}

async function collectAll(): Promise<void> {
  for (let i = 0; i < 3; i++) {
    // The one that closes gaps, or the workers would share those as well.
    gc!({ type: "major", flavor: "last-resort" });
    await sleep(10);
  }
}

function lookUp(key: number): void {
  const { id, name } = table[key % table.length]!;
  if (name !== `row ${id}`) throw new Error(`row ${id} is called ${name}`);
}

/** A figure of a process's memory, in bytes. */
function bytes(pid: number | "self", field: string): number {
  const text = Deno.readTextFileSync(`/proc/${pid}/smaps_rollup`);
  const [, kib] = new RegExp(`^${field}:\\s*(\\d+) kB$`, "m").exec(text)!;
  return Number(kib) * 1024;
}

/** Measures children, once they and this process have come to rest, and ends them. */
async function measure<R>(
  children: readonly ChildProcess[],
  body: () => R,
): Promise<R> {
  await sleep(1000);
  const result = body();
  for (const child of children) child.kill("SIGKILL");
  await Promise.all(children.map(({ status }) => status));
  return result;
}

const cases: Record<string, () => Promise<unknown>> = {
  async idle() {
    const child = await forkChild(() => sleep(60_000));
    return await measure([child], () => bytes(child.pid, "Private_Dirty"));
  },
  async workers() {
    const children: ChildProcess[] = [];
    for (let i = 0; i < WORKERS; i++) {
      const child = await forkChild(async () => {
        for (let query = 0; query < LOOK_UPS; query++) lookUp(i + query * 17);
        await sleep(60_000);
      });
      children.push(child);
    }
    return await measure(children, () => {
      const shares = children.map(({ pid }) => bytes(pid, "Pss"));
      const workers = shares.reduce((sum, share) => sum + share);
      return {
        table: Deno.memoryUsage().heapUsed,
        workers,
        all: workers + bytes("self", "Pss"),
      };
    });
  },
};

await collectAll();
console.log("ready");
const lines = Deno.stdin.readable.pipeThrough(new TextDecoderStream());
for await (const line of lines) {
  console.log(JSON.stringify(await cases[line.trim()]!()));
}
