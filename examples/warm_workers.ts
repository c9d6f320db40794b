/**
 * Workers that are born warm: a table that is expensive to build is built once, and each forked worker has it.
 *
 * Memory is copied on write, so a table that is only read exists once, however many workers there are. Questions and
 * answers travel as lines over pipes.
 *
 * Run it: deno task example:warm-workers [workers] [limit]
 */
import { type ChildProcess, forkChild, getpid } from "../process/mod.ts";

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

const children: ChildProcess[] = [];
for (let i = 0; i < workers; i++) {
  children.push(
    await forkChild(answer, { stdin: "piped", stdout: "piped" }),
  );
}
for (const [index, child] of children.entries()) {
  const first = limit - 10 * (index + 1);
  const numbers = Array.from({ length: 5 }, (_, i) => first + i);
  const questions = child.stdin.getWriter();
  await questions.write(new TextEncoder().encode(numbers.join("\n")));
  await questions.close();
}
for (const child of children) {
  console.log(await child.text()); // to its end, and waits for the child
}

/** What a worker does: a number a line in, its factors from the table out. */
async function answer(): Promise<void> {
  const text = await new Response(Deno.stdin.readable).text();
  for (const line of text.split("\n")) {
    const factors = [];
    for (let n = Number(line); n > 1; n /= smallestFactor[n]!) {
      factors.push(smallestFactor[n]!);
    }
    console.log(`PID ${getpid()}: ${line} = ${factors.join(" × ")}`);
  }
}
