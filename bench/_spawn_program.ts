/**
 * The Deno that `spawn.ts` measures: it grows to as many KiB as its argument says, and then answers each line "library ROUNDS",
 * "command ROUNDS" or "kill ROUNDS" with the times of so many rounds, in microseconds.
 */

import { spawn } from "../exec/mod.ts";

const kept: unknown[] = [];
for (let kib = Number(Deno.args[0]); kib > 0; kib -= 2048) {
  kept.push(new Uint8Array(1 << 20).fill(1));
  kept.push(Array.from({ length: 20_000 }, (_, index) => ({ index })));
}
(globalThis as { gc?: () => void }).gc?.();

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

console.log("ready");
const lines = Deno.stdin.readable.pipeThrough(new TextDecoderStream());
for await (const line of lines) {
  const [kind, count] = line.trim().split(" ");
  const times: number[] = [];
  for (let i = 0; i < Number(count); i++) times.push(await rounds[kind!]!());
  console.log(JSON.stringify(times));
}
