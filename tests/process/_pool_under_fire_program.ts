/** Maps many items while workers are killed at random: so many items, so many kills. */
import { assert, assertEquals, assertInstanceOf } from "@std/assert";
import { kill } from "../../process/kill.ts";
import { Pool } from "../../process/pool.ts";
import { PoolWorkerError } from "../../process/_portable_error.ts";

const [count, kills] = Deno.args.map(Number) as [number, number];

await using pool = new Pool((n: number) => {
  let sum = n;
  for (let i = 0; i < 20_000; i++) sum += i % 3;
  return sum - 19_999;
}, { workers: 4 });

let killed = 0;
let over = false;
async function shoot(): Promise<void> {
  while (!over && killed < kills) {
    const { pids } = pool;
    const pid = pids[Math.floor(Math.random() * pids.length)];
    // It has not been reaped as long as the pool lists it.
    if (pid !== undefined) {
      kill(pid, "SIGKILL");
      killed++;
    }
    await new Promise((resolve) => setTimeout(resolve, Math.random() * 10));
  }
}

const shooting = shoot();
const numbers = Array.from({ length: count }, (_, i) => i);
const results = await pool.mapSettled(numbers);
over = true;
await shooting;
assertEquals(results.length, count);
for (const [n, result] of results.entries()) {
  if (result.status === "fulfilled") assertEquals(result.value, n);
  else {
    assertInstanceOf(result.reason, PoolWorkerError);
    assertEquals(result.reason.index, n);
  }
}
assert(killed > 0);
console.log("all accounted for");
