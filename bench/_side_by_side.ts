/** Something that is measured: each turn gives one sample. */
export interface Peer<Sample = number> {
  name: string;
  /** Whose it is: `the library`, `C`, `Python`, `Deno`, …. */
  by: string;
  turn: () => Sample | Promise<Sample>;
}

/** A peer that this machine has not got. It is named in the table all the same. */
export interface Missing {
  name: string;
  by: string;
  /** What would have to be there. */
  missing: string;
}

/** A line of a table: what was measured, or why it was not. */
export type Row = { name: string; by: string; samples: number[] } | Missing;

/** What was measured in turns. */
export interface Table {
  title: string;
  unit: string;
  reference: string;
  rows: (Row & { median?: number; ratio?: number })[];
}

/** What {@linkcode printTable} has been given, for those who want figures instead of text. */
export const tables: Table[] = [];

/** Gives every peer a turn, then every peer the next one, so that what happens on the machine meanwhile happens to all. */
export async function takeTurns<Sample>(
  peers: readonly (Peer<Sample> | Missing)[],
  turns: number,
): Promise<Map<string, Sample[]>> {
  const samples = new Map(peers.map(({ name }) => [name, [] as Sample[]]));
  // The first turn warms up: caches, compilers, the peers' own memory.
  for (let turn = -1; turn < turns; turn++) {
    for (const peer of peers) {
      if ("missing" in peer) continue;
      const sample = await peer.turn();
      if (turn >= 0) samples.get(peer.name)!.push(sample);
    }
  }
  return samples;
}

/** Measures numbers in turns, and gives the rows of their table. */
export async function sideBySide(
  peers: readonly (Peer | Missing)[],
  turns: number,
): Promise<Row[]> {
  const samples = await takeTurns(peers, turns);
  return rowsOf(peers, samples, (sample) => sample);
}

/** The rows of a table of one figure of what was measured. */
export function rowsOf<Sample>(
  peers: readonly (Peer<Sample> | Missing)[],
  samples: ReadonlyMap<string, Sample[]>,
  figure: (sample: Sample) => number,
): Row[] {
  return peers.map((peer) => {
    if ("missing" in peer) return peer;
    const { name, by } = peer;
    return { name, by, samples: samples.get(name)!.map(figure) };
  });
}

/** The middle one of some numbers. */
export function median(samples: readonly number[]): number {
  const sorted = samples.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1
    ? sorted[middle]!
    : (sorted[middle - 1]! + sorted[middle]!) / 2;
}

/** What a row has measured; `undefined` if it was not. */
export function samplesOf(
  rows: readonly Row[],
  name: string,
): number[] | undefined {
  const row = rows.find((row) => row.name === name);
  return row === undefined || "missing" in row ? undefined : row.samples;
}

/** The median of a row; `undefined` if it was not measured. */
function medianOf(
  rows: readonly Row[],
  name: string,
): number | undefined {
  const samples = samplesOf(rows, name);
  return samples === undefined ? undefined : median(samples);
}

/** Prints the medians, the spread from the least to the greatest, and the ratios to the median of one row. */
export function printTable(
  title: string,
  unit: string,
  rows: readonly Row[],
  reference: string,
): Table {
  const base = medianOf(rows, reference);
  const table: Table = {
    title,
    unit,
    reference,
    rows: rows.map((row) => {
      const middle = medianOf(rows, row.name);
      if (middle === undefined) return row;
      return { ...row, median: middle, ...base && { ratio: middle / base } };
    }),
  };
  tables.push(table);
  const cells = rows.map((row) => {
    if ("missing" in row) return [row.name, `not measured: no ${row.missing}`];
    const middle = median(row.samples);
    return [
      row.name,
      number(middle),
      `${number(Math.min(...row.samples))} … ${
        number(Math.max(...row.samples))
      }`,
      base === undefined ? "" : `${(middle / base).toFixed(2)} ×`,
    ];
  });
  const head = ["", `median ${unit}`, "least … greatest", "ratio"];
  const widths = head.map((title, column) =>
    Math.max(
      title.length,
      ...cells.filter((line) => line.length === head.length)
        .map((line) => line[column]!.length),
      ...(column === 0 ? cells.map((line) => line[0]!.length) : []),
    )
  );
  console.log(`\n${title}`);
  for (const line of [head, ...cells]) {
    const padded = line.map((cell, column) =>
      column === 0
        ? cell.padEnd(widths[column]!)
        : line.length < head.length
        ? cell
        : cell.padStart(widths[column]!)
    );
    console.log(`  ${padded.join("   ").trimEnd()}`);
  }
  return table;
}

/** A number with three digits that count, or four. */
export function number(value: number): string {
  if (Number.isInteger(value)) return String(value);
  const digits = Math.abs(value) >= 100 ? 0 : Math.abs(value) >= 10 ? 1 : 2;
  return value.toFixed(digits);
}
