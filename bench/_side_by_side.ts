/** Something that is measured: each turn gives one sample. */
export interface Peer<Sample = number> {
  name: string;
  turn: () => Sample | Promise<Sample>;
}

/** A peer that this machine has not got. It is named in the table all the same. */
export interface Missing {
  name: string;
  /** What would have to be there. */
  missing: string;
}

/** A line of a table: what was measured, or why it was not. */
export type Row = { name: string; samples: number[] } | Missing;

/** All that has been measured so far, for those who want figures instead of text. */
export interface Report {
  tables: {
    title: string;
    unit: string;
    reference: string;
    rows: (Row & { median?: number; ratio?: number })[];
  }[];
  targets: (
    & { what: string; limit: number; unit: string }
    & (
      | { met: boolean; ofMedians: number; ofLeast: number }
      | { met: null }
    )
  )[];
}

/** What {@linkcode printTable} and {@linkcode printTarget} have been given. */
export const report: Report = { tables: [], targets: [] };

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
  return peers.map((peer) =>
    "missing" in peer
      ? peer
      : { name: peer.name, samples: samples.get(peer.name)! }
  );
}

/** The middle one of some numbers. */
export function median(samples: readonly number[]): number {
  const sorted = samples.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1
    ? sorted[middle]!
    : (sorted[middle - 1]! + sorted[middle]!) / 2;
}

function samplesOf(
  rows: readonly Row[],
  name: string,
): number[] | undefined {
  const row = rows.find((row) => row.name === name);
  return row === undefined || "missing" in row ? undefined : row.samples;
}

/** The median of a row; `undefined` if it was not measured. */
export function medianOf(
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
): void {
  const base = medianOf(rows, reference);
  report.tables.push({
    title,
    unit,
    reference,
    rows: rows.map((row) => {
      const middle = medianOf(rows, row.name);
      if (middle === undefined) return row;
      return { ...row, median: middle, ...base && { ratio: middle / base } };
    }),
  });
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
}

/** What two rows are to each other: by their medians, and by their least samples, which a busy machine disturbs less. */
export interface Comparison {
  ofMedians: number;
  ofLeast: number;
}

/** Compares two rows; `undefined` if one was not measured. */
export function compare(
  rows: readonly Row[],
  name: string,
  reference: string,
  how: (value: number, base: number) => number,
): Comparison | undefined {
  const [value, base] = [samplesOf(rows, name), samplesOf(rows, reference)];
  if (value === undefined || base === undefined) return undefined;
  return {
    ofMedians: how(median(value), median(base)),
    ofLeast: how(Math.min(...value), Math.min(...base)),
  };
}

/** The ratio of two figures. */
export function ratio(value: number, base: number): number {
  return value / base;
}

/** The difference of two figures. */
export function difference(value: number, base: number): number {
  return value - base;
}

/** Prints whether a comparison keeps to its limit, by the medians. */
export function printTarget(
  what: string,
  comparison: Comparison | undefined,
  limit: number,
  unit: string,
): void {
  const target = `  target: ${what} ≤ ${limit} ${unit}:`;
  report.targets.push({
    what,
    limit,
    unit,
    ...comparison
      ? { met: comparison.ofMedians <= limit, ...comparison }
      : { met: null },
  });
  if (comparison === undefined) {
    console.log(`${target} not measured`);
    return;
  }
  const { ofMedians, ofLeast } = comparison;
  const verdict = ofMedians <= limit ? "met" : "MISSED";
  console.log(
    `${target} ${verdict} with ${number(ofMedians)} (least to least: ${
      number(ofLeast)
    })`,
  );
}

function number(value: number): string {
  const digits = Math.abs(value) >= 100 ? 0 : Math.abs(value) >= 10 ? 1 : 2;
  return value.toFixed(digits);
}
