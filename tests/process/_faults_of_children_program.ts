/**
 * Counts the pages that children ask for from their fork to their end, which is most of what they cost: with the first forks of a
 * program, with those after V8 was had to optimize what all go through, and once it has optimized the rest by itself.
 */

import { _exit, fork } from "../../process/mod.ts";
import { wait4 } from "../../wait/mod.ts";

/** Called with several functions, so that V8 is prepared for another one, in a child, too. */
function call(body: (code: number) => void): void {
  body(0);
}

const parentsPart = () => {};
const others = [() => {}, () => {}, () => {}, () => {}, () => {}];
for (let i = 0; i < 100; i++) others.forEach(call);

function faults(): number {
  const pid = fork();
  call(pid === 0 ? _exit : parentsPart);
  return wait4(pid)!.rusage.minflt;
}

function median(numbers: number[]): number {
  return numbers.toSorted((a, b) => a - b)[numbers.length >> 1]!;
}

const all = Array.from({ length: 800 }, faults);
const [first, optimized, last] = [
  median(all.slice(1, 3)),
  median(all.slice(40, 90)),
  median(all.slice(-50)),
];
console.log(
  optimized < first && last <= optimized + 8
    ? "no more than at first"
    : `${first}, ${optimized}, ${last}`,
);
