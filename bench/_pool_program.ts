/** An agent that measures pools: answers each line with milliseconds. */
import { Pool } from "../process/mod.ts";

const workers = Number(Deno.args[0]);
const items = Array.from({ length: 1_000_000 }, (_, i) => i);
const rounds = Array.from({ length: 200 }, (_, i) => i);
let heap: unknown[] = [];

/** A few milliseconds of arithmetic. */
function work(seed: number): number {
  let sum = seed;
  for (let i = 1; i < 2_000_000; i++) sum = (sum * 31 + i) % 1_000_003;
  return sum;
}

const squares = new Pool((n: number) => n * n, { workers });
const works = new Pool(work, { workers });

const cases: Record<string, () => Promise<number>> = {
  async tiny() {
    const started = performance.now();
    await squares.map(items);
    return performance.now() - started;
  },
  async work() {
    const started = performance.now();
    await works.map(rounds);
    return performance.now() - started;
  },
  // deno-lint-ignore require-await
  async alone() {
    const started = performance.now();
    for (const round of rounds) work(round);
    return performance.now() - started;
  },
  async first() {
    if (heap.length === 0) {
      heap = Array.from({ length: 2_500_000 }, (_, i) => ({ i, text: `${i}` }));
    }
    const started = performance.now();
    await using pool = new Pool((i: number) => heap[i], { workers: 4 });
    await pool.run(17);
    return performance.now() - started;
  },
};

console.log("ready");
const decoder = new TextDecoderStream();
for await (const lines of Deno.stdin.readable.pipeThrough(decoder)) {
  for (const line of lines.trim().split("\n")) {
    console.log(await cases[line]!());
  }
}
await squares.close();
await works.close();
