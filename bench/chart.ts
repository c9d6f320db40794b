/**
 * Draws what the library takes in proportion to its peers, as an SVG on standard output: `deno task bench:chart`, or with the
 * name of a file that `deno task bench --json` has written.
 *
 * @module
 */

import { fromFileUrl } from "@std/path";
import type { Table } from "./_side_by_side.ts";

/** What `deno task bench --json` prints, as far as it is drawn. */
interface Report {
  machine: string;
  cases: { name: string; tables: Table[] }[];
}

const WIDTH = 980;
const LABEL = 410;
const VALUE = 150;
const PLOT = WIDTH - LABEL - VALUE;
const HEAD = 92;
const ROW = 18;
const GROUP = 26;
const TICKS = [0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50, 100];

const LIBRARY = "the library";

/** Whose marks look like what; all others have the last one. */
const MARKS = [
  { by: "Python", legend: "Python", kind: "python" },
  { by: "Deno", legend: "Deno's own", kind: "deno" },
  { by: "Node", legend: "Node", kind: "node" },
  { by: undefined, legend: "others", kind: "other" },
] as const;

/** A line of the drawing: the library and its peers, in proportion to one of them. */
interface Line {
  title: string;
  ratio?: number;
  marks: { by: string; ratio: number }[];
  /** What is written at the end of the line. */
  value: string;
}

/** The first row of each maker stands for it; C is what the others are compared with, or else what the table compares with. */
function lineOf({ title, unit, reference, rows }: Table): Line {
  const makers = new Map<string, number | undefined>();
  for (const { by, median } of rows) {
    if (!makers.has(by)) makers.set(by, median);
  }
  const named = rows.find(({ name }) => name === reference)?.by ?? LIBRARY;
  const base = makers.has("C") ? "C" : named;
  const [is, than] = [makers.get(LIBRARY), makers.get(base)];
  if (is === undefined) return { title, marks: [], value: "not measured" };
  if (than === undefined) {
    return { title, marks: [], value: `not compared: no ${base}` };
  }
  if (base === LIBRARY) {
    return { title, marks: [], value: `${figure(is)} ${unit}` };
  }
  const marks = [...makers].flatMap(([by, median]) =>
    by === LIBRARY || by === base || median === undefined
      ? []
      : [{ by, ratio: median / than }]
  );
  const ratio = is / than;
  return { title, ratio, marks, value: `${figure(ratio)} × ${base}` };
}

/** The drawing: for each table a bar from 1 to the library's ratio, and a mark for each other peer; logarithmic. */
function draw({ machine, cases }: Report): string {
  const groups = cases.map(({ name, tables }) => ({
    name: name.replaceAll("_", " "),
    lines: tables.map(lineOf),
  }));
  const lines = groups.flatMap(({ lines }) => lines);
  const ratios = lines.flatMap((
    { ratio, marks },
  ) => [ratio ?? 1, ...marks.map(({ ratio }) => ratio)]);
  const least = Math.min(0.5, ...ratios) / 1.1;
  const most = Math.max(2, ...ratios) * 1.1;
  const x = (ratio: number) =>
    LABEL + PLOT * Math.log(ratio / least) / Math.log(most / least);
  const body: string[] = [];
  let y = HEAD;
  for (const { name, lines } of groups) {
    y += GROUP;
    body.push(text(16, y - 8, name, "group"));
    for (const line of lines) {
      body.push(drawLine(line, y, x));
      y += ROW;
    }
  }
  const height = y + 34;
  const ticks = TICKS.filter((tick) => tick >= least && tick <= most);
  const description = lines.map(descriptionOf).join(" ");
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" role="img" aria-labelledby="title description">
<title id="title">What the library takes in proportion to C and other peers</title>
<desc id="description">${escape(description)}</desc>
<style>
  svg { --page: #fff; --text: #1f2328; --quiet: #59636e; --grid: #d1d9e0; --library: #2f6fbf; --python: #b35900; --deno: #1a7f37; --node: #a8071a; --other: #8250df }
  @media (prefers-color-scheme: dark) {
    svg { --page: #0d1117; --text: #e6edf3; --quiet: #9198a1; --grid: #30363d; --library: #4184e4; --python: #f0a04b; --deno: #57ab5a; --node: #f47067; --other: #b083f0 }
  }
  text { font: 12px system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", Helvetica, Arial, sans-serif; fill: var(--text) }
  .page { fill: var(--page) } .title { font-size: 15px; font-weight: 600 } .group { font-weight: 600 } .quiet { fill: var(--quiet) }
  .label { text-anchor: end } .tick { text-anchor: middle; fill: var(--quiet) }
  .grid { stroke: var(--grid) } .one { stroke: var(--text) }
  .library { fill: var(--library) } .python { fill: var(--python) } .deno { fill: var(--deno) } .node { fill: var(--node) } .other { fill: var(--other) }
  .mark { stroke: var(--page) }
</style>
<rect class="page" width="${WIDTH}" height="${height}" rx="8"/>
${text(16, 28, "What the library takes in proportion to C", "title")}
${text(16, 46, machine, "quiet")}
${drawLegend()}
${ticks.map((tick) => drawTick(tick, x(tick), y)).join("\n")}
${body.join("\n")}
</svg>
`;
}

function drawLegend(): string {
  const parts = [
    `<rect class="library" x="16" y="58" width="22" height="10"/>`,
    text(44, 67, LIBRARY, "quiet"),
    `<path class="one" d="M125 56v14"/>`,
    text(132, 67, "C, or who is named at the end", "quiet"),
  ];
  let left = 360;
  for (const { legend, kind } of MARKS) {
    parts.push(drawMark(kind, left, 63), text(left + 9, 67, legend, "quiet"));
    left += 36 + legend.length * 7;
  }
  parts.push(
    text(left, 67, "To the left of the line is less than it.", "quiet"),
  );
  return parts.join("\n");
}

/** A line of the scale, its number above and below. */
function drawTick(tick: number, at: number, bottom: number): string {
  const kind = tick === 1 ? "one" : "grid";
  return `<path class="${kind}" d="M${at.toFixed(1)} ${HEAD}V${bottom}"/>` +
    text(at, HEAD - 6, `${tick} ×`, "tick") +
    text(at, bottom + 16, `${tick} ×`, "tick");
}

function drawLine(line: Line, y: number, x: (ratio: number) => number): string {
  const { title, ratio, marks, value } = line;
  const parts = [
    text(LABEL - 10, y + 9, title, "label"),
    text(LABEL + PLOT + 12, y + 9, value, ratio === undefined ? "quiet" : ""),
  ];
  if (ratio !== undefined) {
    const left = x(Math.min(1, ratio));
    const width = Math.max(x(Math.max(1, ratio)) - left, 2);
    parts.push(
      `<rect class="library" x="${left.toFixed(1)}" y="${y}" ` +
        `width="${width.toFixed(1)}" height="10"/>`,
    );
  }
  for (const { by, ratio } of marks) {
    const { kind } = MARKS.find((mark) => mark.by === by) ?? MARKS.at(-1)!;
    parts.push(drawMark(kind, x(ratio), y + 5));
  }
  return `<g><title>${escape(descriptionOf(line))}</title>${
    parts.join("")
  }</g>`;
}

/** A triangle, a circle, a square or a diamond: who cannot tell the colours apart sees the shapes. */
function drawMark(
  kind: typeof MARKS[number]["kind"],
  x: number,
  y: number,
): string {
  const shapes = {
    python: "m0-6l6 11h-12z",
    deno: "m-5 0a5 5 0 1 0 10 0a5 5 0 1 0-10 0z",
    node: "m-5-5h10v10h-10z",
    other: "m0-6l5 6-5 6-5-6z",
  };
  return `<path class="mark ${kind}" d="M${x.toFixed(1)} ${y}${
    shapes[kind]
  }"/>`;
}

function descriptionOf({ title, marks, value }: Line): string {
  const others = marks.map(({ by, ratio }) => `, ${by} ${figure(ratio)} ×`);
  return `${title}: ${LIBRARY} ${value}${others.join("")}.`;
}

function text(x: number, y: number, content: string, kind: string): string {
  return `<text class="${kind}" x="${x.toFixed(1)}" y="${y}">${
    escape(content)
  }</text>`;
}

function escape(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;");
}

function figure(value: number): string {
  return value >= 100 ? value.toFixed(0) : value.toPrecision(3);
}

async function measured(): Promise<string> {
  const [file] = Deno.args;
  if (file !== undefined) return Deno.readTextFileSync(file);
  const main = fromFileUrl(new URL("./main.ts", import.meta.url));
  const { stdout, success } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", main, "--json"],
    stderr: "inherit",
  }).output();
  if (!success) Deno.exit(1);
  return new TextDecoder().decode(stdout);
}

console.log(draw(JSON.parse(await measured())).trimEnd());
