import { Canvas, type Rectangle, type Style } from "./canvas.ts";
import type { Chapter, Stop } from "./chapters.ts";
import { layoutList, layoutRun, type Size } from "./layout.ts";
import { textWidth, wrap } from "./text.ts";

/** How far a pane is scrolled. */
export interface Scroll {
  /** The first line; `Infinity` for the last ones. */
  top: number;
  /** The first column. */
  left: number;
}

/** Lines of which a pane shows a part. */
export interface Pane {
  title: string;
  lines: readonly string[];
  scroll: Scroll;
}

/** What is shown while there is something to choose. */
export interface ListView {
  chapters: readonly Chapter[];
  selected: Stop;
  /** How the selected one is started, and with what permissions. */
  command: string;
  source: Pane;
  showSource: boolean;
  focus: "list" | "source";
  message: string;
}

/** What is shown while something runs. */
export interface RunView {
  title: string;
  outputs:
    readonly (Pane & { cursor?: { x: number; y: number } | undefined })[];
  source: Pane;
  tree: Pane;
  showSource: boolean;
  /** The pane that the keys are for: an output by its number, or one of the other two. */
  focus: number | "source" | "tree";
  message: string;
  keys: string;
}

/** A picture, and where the cursor is in it, if it is to be seen. */
export interface Picture {
  canvas: Canvas;
  cursor: { x: number; y: number } | undefined;
}

/** The first line to be shown, so that the pane is filled if that is possible. */
export function firstLine(
  { top }: Scroll,
  lines: number,
  height: number,
): number {
  return Math.max(0, Math.min(top, lines - height));
}

/** Draws the list of all examples, beside the source of the selected one. */
export function drawList(size: Size, view: ListView): Picture {
  const canvas = new Canvas(size.columns, size.rows);
  const { list, source } = layoutList(size, view.showSource);
  drawBars(canvas, "A tour of @posix/process", view.message, [
    "Enter run  s source  Tab pane  q quit",
    view.message === "" ? "arrows or j k: choose" : "",
  ]);
  drawChapters(canvas, list, view, source === undefined);
  if (source !== undefined) {
    drawDivider(canvas, list);
    const about = [
      ...wrap(view.selected.sentence, source.width),
      ...wrap(view.command, source.width),
    ];
    for (const [index, line] of about.entries()) {
      if (index >= source.height) break;
      canvas.put(source.x, source.y + index, source.width, line);
    }
    const used = Math.min(about.length, source.height);
    drawPane(
      canvas,
      {
        ...source,
        y: source.y + used,
        height: source.height - used,
      },
      view.source,
      view.focus === "source",
    );
  }
  return { canvas, cursor: undefined };
}

/** Draws what runs: its output, its source, its processes. */
export function drawRun(size: Size, view: RunView): Picture {
  const canvas = new Canvas(size.columns, size.rows);
  const layout = layoutRun(size, view.outputs.length, view.showSource);
  drawBars(canvas, view.title, view.message, [view.keys]);
  let cursor: Picture["cursor"];
  for (const [index, output] of view.outputs.entries()) {
    const place = layout.outputs[index]!;
    const focused = view.focus === index;
    drawPane(canvas, place, output, focused);
    if (focused && output.cursor !== undefined) {
      const { lines, scroll } = output;
      const first = firstLine(scroll, lines.length, place.height - 1);
      const { x, y } = output.cursor;
      if (y >= first && y - first < place.height - 1 && x < place.width) {
        cursor = { x: place.x + x, y: place.y + 1 + y - first };
      }
    }
  }
  drawPane(canvas, layout.tree, view.tree, view.focus === "tree");
  if (layout.source !== undefined) {
    drawPane(canvas, layout.source, view.source, view.focus === "source");
    drawDivider(canvas, layout.source);
  }
  const [first, second] = layout.outputs;
  if (second !== undefined && second.y === first!.y) {
    drawDivider(canvas, first!);
  }
  return { canvas, cursor };
}

/** The first row of the screen, and the last: what is going on, and as much of the keys as there is room for. */
function drawBars(
  canvas: Canvas,
  title: string,
  message: string,
  keys: readonly string[],
): void {
  const { columns, rows } = canvas;
  canvas.put(0, 0, columns, title, "title");
  const text = keys.filter((part) => part !== "").join("  ");
  const width = Math.min(columns, textWidth(text));
  const room = Math.max(0, columns - width - 1);
  canvas.put(0, rows - 1, columns, "");
  canvas.put(0, rows - 1, room, message, "news");
  canvas.put(columns - width, rows - 1, width, text, "title");
}

function drawDivider(
  canvas: Canvas,
  { x, y, width, height }: Rectangle,
): void {
  for (let row = 0; row < height; row++) canvas.put(x + width, y + row, 1, "│");
}

function drawPane(
  canvas: Canvas,
  { x, y, width, height }: Rectangle,
  { title, lines, scroll }: Pane,
  focused: boolean,
): void {
  if (height < 1) return;
  const heading = `${focused ? ">>" : "──"} ${title} `;
  const line = "─".repeat(Math.max(0, width - textWidth(heading)));
  canvas.put(x, y, width, heading + line, focused ? "focus" : "title");
  const first = firstLine(scroll, lines.length, height - 1);
  for (let row = 1; row < height; row++) {
    const text = lines[first + row - 1] ?? "";
    canvas.put(x, y + row, width, text, styleOf(title, text), scroll.left);
  }
}

/** Comments stand back, in the source. */
function styleOf(title: string, line: string): Style {
  return title.endsWith(".ts") && /^\s*(\/\*\*|\*|\/\/)/.test(line)
    ? "faint"
    : "plain";
}

function drawChapters(
  canvas: Canvas,
  { x, y, width, height }: Rectangle,
  { chapters, selected, focus }: ListView,
  withSentences: boolean,
): void {
  const rows: { text: string; style: Style }[] = [];
  let at = 0;
  for (const { title, stops } of chapters) {
    rows.push({ text: title, style: "title" });
    for (const stop of stops) {
      const chosen = stop === selected;
      if (chosen) at = rows.length;
      const mark = chosen ? focus === "list" ? "> " : "- " : "  ";
      const text = withSentences
        ? `${mark}${stop.name.padEnd(25)} ${stop.sentence}`
        : mark + stop.name;
      rows.push({ text, style: chosen ? "chosen" : "plain" });
    }
  }
  // The chosen one in the middle, as far as possible.
  const top = at - Math.floor(height / 2);
  const first = firstLine({ top, left: 0 }, rows.length, height);
  for (const [index, row] of rows.slice(first, first + height).entries()) {
    canvas.put(x, y + index, width, row.text, row.style);
  }
}
