/**
 * Workers that are born warm: a table that is expensive to build is built once, and each forked worker has it.
 *
 * Memory is copied on write, so a table that is only read exists once, however many workers there are. Questions and
 * answers travel over queues in shared memory.
 *
 * Run it: deno task example:warm-workers [workers] [limit]
 */
import { getpid, Pool } from "../process/mod.ts";

const workers = Number(Deno.args[0] ?? 2);
const limit = Number(Deno.args[1] ?? 2_000_000);

const smallestFactor = new Uint32Array(limit + 1);
for (let n = 2; n <= limit; n++) {
  if (smallestFactor[n] !== 0) continue;
  for (let multiple = n; multiple <= limit; multiple += n) {
    if (smallestFactor[multiple] === 0) smallestFactor[multiple] = n;
  }
}
console.log(`table of ${limit} numbers built by PID ${getpid()}`);

await using pool = new Pool(factors, { workers });
const numbers = Array.from({ length: 5 * workers }, (_, i) => limit - i);
const answers = await pool.map(numbers, { chunkSize: 1 });
for (const [i, { pid, primes }] of answers.entries()) {
  console.log(`PID ${pid}: ${numbers[i]} = ${primes.join(" × ")}`);
}

/** What a worker does: a number in, its factors from the table out. */
function factors(number: number): { pid: number; primes: number[] } {
  const primes = [];
  for (let n = number; n > 1; n /= smallestFactor[n]!) {
    primes.push(smallestFactor[n]!);
  }
  return { pid: getpid(), primes };
}
