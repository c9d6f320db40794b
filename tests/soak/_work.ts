/** What the heap is filled with: objects of several kinds, as a program's table would be. */
const table: { id: number; name: string; values: number[] }[] = [];

const kept: unknown[] = [];

/** Fills the heap with about that many megabytes that stay. */
export function fillHeap(megabytes: number): void {
  const target = Deno.memoryUsage().heapUsed + megabytes * 1e6;
  while (Deno.memoryUsage().heapUsed < target) {
    const start = table.length;
    for (let i = start; i < start + 5000; i++) {
      table.push({ id: i, name: `row ${i}`, values: [i, i / 2, i / 3] });
    }
  }
}

/** Makes garbage, some of which lives on, and a new function that is hot enough to be optimised. */
export function beBusy(seed: number): void {
  const hot = (0, eval)(
    `(n) => { let s = 0; for (let i = 0; i < n; i++) s += i ^ ${seed}; return s; }`,
  );
  for (let i = 0; i < 20; i++) hot(2000);
  const garbage: unknown[] = [];
  for (let i = 0; i < 4000; i++) {
    garbage.push({ i, seed, text: `${seed}/${i}` });
  }
  kept[Math.abs(seed) % 50] = garbage.slice(0, 500);
}
