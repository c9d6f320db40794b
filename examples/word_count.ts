/**
 * The words of a big text, counted by one process and by a pool of forked workers that all have the text.
 *
 * The text is read once. The workers have it from the fork on, so that only positions travel to them, and only counts back.
 *
 * Run it: deno task example:word-count [file] (without one, 32 MB of made-up text)
 */
import { close, isatty, O_RDONLY, open, readAll } from "../ipc/mod.ts";
import { Pool } from "../process/mod.ts";

const [path] = Deno.args;
const text = path === undefined ? madeUp(32 << 20) : fileBytes(path);

const started = performance.now();
const alone = total([count(0, text.length)]);
const aloneMs = performance.now() - started;

const forked = performance.now();
await using pool = new Pool(([from, to]: [number, number]) => count(from, to));
const counts = await pool.map(parts(64), { onProgress: draw });
const together = total(counts);
const poolMs = performance.now() - forked;

const top = [...together].sort(([a, m], [b, n]) => n - m || (a < b ? -1 : 1));
for (const [word, n] of top.slice(0, 10)) {
  console.log(String(n).padStart(9), word);
}
const same = alone.size === together.size &&
  [...alone].every(([word, n]) => together.get(word) === n);
console.log(`${alone.size} words; both have counted the same: ${same}`);
console.log(
  `one process ${aloneMs.toFixed(0)} ms, ${pool.pids.length} workers ${
    poolMs.toFixed(0)
  } ms: ${(aloneMs / poolMs).toFixed(2)} times as fast`,
);

/** Counts the words between two positions of the text. */
function count(from: number, to: number): Map<string, number> {
  const counts = new Map<string, number>();
  const words = new TextDecoder().decode(text.subarray(from, to))
    .toLowerCase().match(/\p{L}+/gu) ?? [];
  for (const word of words) counts.set(word, (counts.get(word) ?? 0) + 1);
  return counts;
}

/** The text in so many parts, each of which ends where a line does. */
function parts(wanted: number): [from: number, to: number][] {
  const parts: [number, number][] = [];
  for (let from = 0; from < text.length;) {
    const end = text.indexOf(0x0a, from + Math.ceil(text.length / wanted));
    const to = end === -1 ? text.length : end + 1;
    parts.push([from, to]);
    from = to;
  }
  return parts;
}

function total(counts: Map<string, number>[]): Map<string, number> {
  const sums = new Map<string, number>();
  for (const [word, n] of counts.flatMap((part) => [...part])) {
    sums.set(word, (sums.get(word) ?? 0) + n);
  }
  return sums;
}

/** A bar that grows, where somebody sees it. */
function draw(
  { done, total = done }: { done: number; total?: number | undefined },
): void {
  if (!isatty(1)) return;
  const width = Math.round(40 * done / total);
  const bar = "█".repeat(width).padEnd(40, "░");
  const end = done === total ? "\n" : "";
  Deno.stdout.writeSync(
    new TextEncoder().encode(`\r${bar} ${done} of ${total}${end}`),
  );
}

function fileBytes(path: string): Uint8Array {
  const fd = open(path, O_RDONLY);
  try {
    return readAll(fd);
  } finally {
    close(fd);
  }
}

/** Lines of words from a small vocabulary, the same ones each time, the short ones more often. */
function madeUp(bytes: number): Uint8Array {
  const vocabulary = Array.from({ length: 5000 }, (_, n) => n.toString(26))
    .map((digits) => digits.replace(/\d/g, (d) => "stuvwxyzäöü"[Number(d)]!));
  let seed = 1;
  const paragraph = Array.from({ length: 20_000 }, (_, i) => {
    seed = (seed * 48_271) % 2_147_483_647;
    const word = vocabulary[Math.floor(5000 * (seed / 2_147_483_647) ** 3)]!;
    return i % 12 === 11 ? `${word}\n` : word;
  }).join(" ");
  const encoded = new TextEncoder().encode(`${paragraph}\n`);
  const text = new Uint8Array(
    Math.ceil(bytes / encoded.length) * encoded.length,
  );
  for (let at = 0; at < text.length; at += encoded.length) {
    text.set(encoded, at);
  }
  return text;
}
