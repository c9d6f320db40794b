/**
 * Draws what the library takes in proportion to its peers: `deno task bench:chart`, or with the name of a file that
 * `deno task bench --json` has written. The drawing is `bench/chart.svg`.
 *
 * @module
 */

import { fromFileUrl } from "@std/path";
import type { Table } from "./_side_by_side.ts";

const WIDTH = 860;
const LABEL = 300;
const VALUE = 70;
const BAR = 16;
const GAP = 30;
const SCALE = WIDTH - LABEL - VALUE;

/** The drawing: for each table, a bar for each row, as long as its ratio to the reference; logarithmic, as some are large. */
export function draw(
  { machine, tables }: { machine: string; tables: Table[] },
): string {
  const ratios = tables.flatMap(({ rows }) =>
    rows.map(({ ratio }) => ratio ?? 1)
  );
  const [least, most] = [Math.min(...ratios, 0.5), Math.max(...ratios, 2)];
  const x = (ratio: number) =>
    LABEL + SCALE * Math.log(ratio / least) / Math.log(most / least);
  const parts: string[] = [];
  let y = 34;
  for (const { title, unit, reference, rows } of tables) {
    parts.push(text(8, y, title, "title"));
    const top = y + 6;
    y += BAR + 6;
    for (const row of rows) {
      const { name, median, ratio } = row;
      parts.push(text(LABEL - 8, y, name, "name"));
      if (ratio === undefined || median === undefined) {
        const missing = "missing" in row ? `no ${row.missing}` : "no reference";
        parts.push(text(LABEL + 4, y, `not measured: ${missing}`, "value"));
      } else {
        const [from, to] = [Math.min(x(1), x(ratio)), Math.max(x(1), x(ratio))];
        const kind = name === reference ? "reference" : "bar";
        parts.push(
          `<rect class="${kind}" x="${from.toFixed(1)}" y="${y - BAR + 5}" ` +
            `width="${Math.max(to - from, 2).toFixed(1)}" height="${
              BAR - 4
            }"/>`,
        );
        const figures = `${ratio.toFixed(2)} × (${figure(median)} ${unit})`;
        parts.push(text(to + 6, y, figures, "value"));
      }
      y += BAR;
    }
    parts.push(
      `<line x1="${x(1)}" x2="${x(1)}" y1="${top}" y2="${y - BAR + 6}"/>`,
    );
    y += GAP - BAR;
  }
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${
    WIDTH + VALUE
  } ${y}" font-family="sans-serif" font-size="12">
<style>
  .title { font-weight: bold } .name { text-anchor: end } .value { font-size: 11px }
  text { fill: #222 } .bar { fill: #3b78c4 } .reference { fill: #999 } line { stroke: #999 }
  @media (prefers-color-scheme: dark) { text { fill: #ddd } .bar { fill: #6aa2e8 } }
</style>
${text(8, 14, machine, "value")}
${parts.join("\n")}
</svg>
`;
}

function text(x: number, y: number, content: string, kind: string): string {
  const escaped = content.replaceAll("&", "&amp;").replaceAll("<", "&lt;");
  return `<text class="${kind}" x="${x.toFixed(1)}" y="${y}">${escaped}</text>`;
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

if (import.meta.main) {
  const drawing = draw(JSON.parse(await measured()));
  Deno.writeTextFileSync(new URL("./chart.svg", import.meta.url), drawing);
}
