/**
 * The Deno that `spawn.ts` measures: it grows to as many KiB as its argument says, and then answers each line "library ROUNDS",
 * "command ROUNDS" or "kill ROUNDS" with the times of so many rounds, in microseconds, and "leave ROUNDS" with what so many
 * programs leave behind.
 */

import { spawn } from "../exec/mod.ts";
import { listProcesses } from "../process/mod.ts";

const kept: unknown[] = [];
for (let kib = Number(Deno.args[0]); kib > 0; kib -= 2048) {
  kept.push(new Uint8Array(1 << 20).fill(1));
  kept.push(Array.from({ length: 20_000 }, (_, index) => ({ index })));
}
const collectGarbage = (globalThis as { gc?: () => void }).gc!;
collectGarbage();

const inherit = {
  stdin: "inherit",
  stdout: "inherit",
  stderr: "inherit",
} as const;

async function time(body: () => Promise<unknown>): Promise<number> {
  const started = performance.now();
  await body();
  return (performance.now() - started) * 1000;
}

const rounds: Record<string, () => Promise<number>> = {
  library: () => time(() => spawn("/bin/true").status),
  command: () =>
    time(() => new Deno.Command("/bin/true", inherit).spawn().status),
  async kill() {
    const child = spawn("/bin/sleep", ["60"]);
    await new Promise((resolve) => setTimeout(resolve, 3));
    return await time(() => {
      child.kill("SIGKILL");
      return child.status;
    });
  },
};

/** How many at once, where many are started. */
const AT_ONCE = 8;

/** What so many programs leave: processes, descriptors, and resident memory in percent of what was there before. */
async function leave(count: number): Promise<[number, number, number]> {
  // Once to warm up: what the first ones need is no growth.
  await startMany(count);
  const before = await state();
  await startMany(count);
  const [children, descriptors, resident] = await state();
  return [
    children - before[0],
    descriptors - before[1],
    100 * (resident / before[2] - 1),
  ];
}

async function startMany(count: number): Promise<void> {
  for (let i = 0; i < count; i += AT_ONCE) {
    const programs = Array.from({ length: AT_ONCE }, () => spawn("/bin/true"));
    await Promise.all(programs.map(({ status }) => status));
  }
}

/** How many children there are, zombies included, how many descriptors, and how many KiB. */
async function state(): Promise<[number, number, number]> {
  for (let i = 0; i < 5; i++) {
    collectGarbage();
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  const status = Deno.readTextFileSync("/proc/self/status");
  return [
    listProcesses().filter(({ ppid }) => ppid === Deno.pid).length,
    [...Deno.readDirSync("/proc/self/fd")].length,
    Number(/^VmRSS:\s*(\d+)/m.exec(status)![1]),
  ];
}

console.log("ready");
const lines = Deno.stdin.readable.pipeThrough(new TextDecoderStream());
for await (const line of lines) {
  const [kind, count] = line.trim().split(" ");
  if (kind === "leave") {
    console.log(JSON.stringify(await leave(Number(count))));
    continue;
  }
  const times: number[] = [];
  for (let i = 0; i < Number(count); i++) times.push(await rounds[kind!]!());
  console.log(JSON.stringify(times));
}
