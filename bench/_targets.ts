import { median, number, samplesOf, type Table } from "./_side_by_side.ts";

/** What a figure should be. */
export type Limit =
  & { unit: string }
  & ({ atMost: number } | { atLeast: number });

/** A limit of a figure in a table, and whether it is kept; `null` if the figure was not measured. */
export interface Target {
  table: string;
  what: string;
  limit: Limit;
  met: boolean | null;
  figure?: Figure;
}

/** A figure by the medians, and by the least samples, which a busy machine disturbs less. */
export interface Figure {
  ofMedians: number;
  ofLeast: number;
}

/** All that {@linkcode printTarget} has been given. */
export const targets: Target[] = [];

function figureOf(
  { rows }: Table,
  names: readonly [string, ...string[]],
  how: (value: number, base: number) => number,
): Figure | undefined {
  const samples = names.map((name) => samplesOf(rows, name));
  if (samples.includes(undefined)) return undefined;
  const of = (some: (samples: readonly number[]) => number) =>
    how(some(samples[0]!), some(samples.at(-1)!));
  return { ofMedians: of(median), ofLeast: of((some) => Math.min(...some)) };
}

/** What a row measured; `undefined` if it has not. */
export function figure(table: Table, name: string): Figure | undefined {
  return figureOf(table, [name], (value) => value);
}

/** What a row is in proportion to another; `undefined` if one was not measured. */
export function ratio(
  table: Table,
  name: string,
  base: string,
): Figure | undefined {
  return figureOf(table, [name, base], (value, base) => value / base);
}

/** How many times as fast as another a row is, that is a time; `undefined` if one was not measured. */
export function speed(
  table: Table,
  name: string,
  base: string,
): Figure | undefined {
  return ratio(table, base, name);
}

/** What a row has more than another; `undefined` if one was not measured. */
export function difference(
  table: Table,
  name: string,
  base: string,
): Figure | undefined {
  return figureOf(table, [name, base], (value, base) => value - base);
}

/** Prints whether a figure keeps to its limit, by the medians. */
export function printTarget(
  { title }: { title: string },
  what: string,
  figure: Figure | undefined,
  limit: Limit,
): void {
  const target = { table: title, what, limit, ...figure && { figure } };
  if (targets.some((other) => nameOf(other) === nameOf(target))) {
    throw new Error(`There is another target "${nameOf(target)}"`);
  }
  targets.push({ ...target, met: figure ? isMet(figure, limit) : null });
  const text = `  target: ${what} ${textOf(limit)} ${limit.unit}:`;
  if (figure === undefined) {
    console.log(`${text} not measured`);
    return;
  }
  const { ofMedians, ofLeast } = figure;
  console.log(
    `${text} ${isMet(figure, limit) ? "met" : "MISSED"} with ${
      number(ofMedians)
    } (least to least: ${number(ofLeast)})`,
  );
}

/** A figure that was not measured in turns. */
export function once(value: number): Figure {
  return { ofMedians: value, ofLeast: value };
}

function isMet({ ofMedians }: Figure, limit: Limit): boolean {
  return "atMost" in limit
    ? ofMedians <= limit.atMost
    : ofMedians >= limit.atLeast;
}

function textOf(limit: Limit): string {
  return "atMost" in limit ? `≤ ${limit.atMost}` : `≥ ${limit.atLeast}`;
}

function nameOf({ table, what }: { table: string; what: string }): string {
  return `${table}: ${what}`;
}

/** Prints all targets again, each with its table, its figure and its limit. */
export function printTargets(): void {
  const verdicts = targets.map(({ met }) =>
    met === null ? "not measured" : met ? "met" : "MISSED"
  );
  const count = (verdict: string) =>
    `${verdicts.filter((one) => one === verdict).length} ${verdict}`;
  console.log(
    `\n${targets.length} targets: ` +
      ["met", "MISSED", "not measured"].map(count).join(", "),
  );
  for (const [index, target] of targets.entries()) {
    const { figure, limit } = target;
    const is = figure ? ` ${number(figure.ofMedians)} ${limit.unit}` : "";
    console.log(
      `  ${verdicts[index]!.padEnd("not measured".length)}  ` +
        `${nameOf(target)}:${is} (${textOf(limit)})`,
    );
  }
}
