/**
 * The Deno that `fork.ts` measures: it grows to as many KiB as argument 2 says, half of them objects on V8's heap, half array
 * buffers, then to as many MB of objects on that heap as argument 3 says, and then answers each line "library ROUNDS" or
 * "bare ROUNDS" with the times of so many rounds, and "share ROUNDS" with what the library took more, in rounds of both in turns.
 *
 * A bare round is made in C by the shared library of argument 1 (empty if there is none), in this very process: what it costs
 * is the fork itself.
 */

import { _exit, fork } from "../process/mod.ts";
import { waitpid } from "../wait/mod.ts";

const [sharedLibrary, wanted, heap] = Deno.args;
const kept: unknown[] = [];
while (resident() < Number(wanted)) {
  kept.push(new Uint8Array(1 << 20).fill(1));
  kept.push(someObjects());
}
while (Deno.memoryUsage().heapUsed < Number(heap) * 1e6) {
  kept.push(someObjects());
}
(globalThis as { gc?: () => void }).gc?.();

const bare = !sharedLibrary ? null : Deno.dlopen(sharedLibrary, {
  round_trip_of_all: { parameters: ["buffer", "buffer"], result: "i32" },
}).symbols;

function someObjects(): unknown {
  return Array.from({ length: 20_000 }, (_, index) => ({ index }));
}

type Times = [forked: number, reaped: number];

function libraryRound(): Times {
  const started = performance.now();
  const pid = fork();
  if (pid === 0) _exit(0);
  const forked = performance.now() - started;
  const { raw } = waitpid(pid)!;
  const reaped = performance.now() - started;
  if (raw !== 0) throw new Error(`A child ended with ${raw}`);
  return [forked * 1000, reaped * 1000];
}

const forked = new Float64Array(1);
const reaped = new Float64Array(1);

function bareRound(): Times {
  const result = bare!.round_trip_of_all(
    new Uint8Array(forked.buffer),
    new Uint8Array(reaped.buffer),
  );
  if (result !== 0) throw new Error("The bare fork has failed");
  return [forked[0]!, reaped[0]!];
}

function shareRound(): Times {
  const [forked, reaped] = libraryRound();
  const [bareForked, bareReaped] = bareRound();
  return [forked - bareForked, reaped - bareReaped];
}

function resident(): number {
  const status = Deno.readTextFileSync("/proc/self/status");
  return Number(/^VmRSS:\s*(\d+)/m.exec(status)![1]);
}

/** A line of standard input, waited for without the event loop; empty at the end. */
function readLine(): string {
  const buffer = new Uint8Array(64);
  const count = Deno.stdin.readSync(buffer) ?? 0;
  return new TextDecoder().decode(buffer.subarray(0, count));
}

const kinds: Record<string, () => Times> = {
  library: libraryRound,
  bare: bareRound,
  share: shareRound,
};

console.log(JSON.stringify({ resident: resident() }));
for (let line; (line = readLine()) !== "";) {
  const [kind, rounds] = line.trim().split(" ");
  const times = Array.from({ length: Number(rounds) }, kinds[kind!]!);
  console.log(JSON.stringify({ times, resident: resident() }));
}
