import type { Rectangle } from "./canvas.ts";

/** Where everything is while there is something to choose. The first and last row are for the bars. */
export interface ListLayout {
  list: Rectangle;
  /** Missing where it is not wanted, or there is no room. */
  source: Rectangle | undefined;
}

/** Where everything is while something runs. The first row of each pane is its title. */
export interface RunLayout {
  outputs: Rectangle[];
  source: Rectangle | undefined;
  tree: Rectangle;
}

/** The size of a terminal. */
export interface Size {
  columns: number;
  rows: number;
}

const LIST_WIDTH = 28;
/** From here on, source and output stand side by side. */
const WIDE = 130;

/** The rows between the two bars. */
function bodyOf({ columns, rows }: Size): Rectangle {
  return { x: 0, y: 1, width: columns, height: Math.max(0, rows - 2) };
}

/** Cuts a rectangle at a column, which is left free for a line, into left and right. */
function cutAt(
  { x, y, width, height }: Rectangle,
  left: number,
): [Rectangle, Rectangle] {
  const rest = Math.max(0, width - left - 1);
  return [
    { x, y, width: left, height },
    { x: x + left + 1, y, width: rest, height },
  ];
}

/** Cuts a rectangle into upper and lower. */
function cutBelow(
  { x, y, width, height }: Rectangle,
  upper: number,
): [Rectangle, Rectangle] {
  return [
    { x, y, width, height: upper },
    { x, y: y + upper, width, height: height - upper },
  ];
}

/** Lays the list out, beside the source if that is wanted. */
export function layoutList(size: Size, withSource: boolean): ListLayout {
  const body = bodyOf(size);
  if (!withSource || size.columns < 2 * LIST_WIDTH) {
    return { list: body, source: undefined };
  }
  const [list, source] = cutAt(body, LIST_WIDTH);
  return { list, source };
}

/** Lays one or two programs' output out, with the source if that is wanted, and the tree. */
export function layoutRun(
  size: Size,
  programs: number,
  withSource: boolean,
): RunLayout {
  const body = bodyOf(size);
  if (withSource && size.columns >= WIDE) {
    const [source, right] = cutAt(body, Math.floor((size.columns - 1) / 2));
    const [upper, tree] = cutBelow(right, Math.ceil(right.height * 0.65));
    return { outputs: split(upper, programs, "below"), source, tree };
  }
  const [upper, lower] = cutBelow(
    body,
    Math.ceil(body.height * (withSource ? 0.5 : 0.65)),
  );
  const outputs = split(upper, programs, "beside");
  if (!withSource) return { outputs, source: undefined, tree: lower };
  const [source, tree] = cutAt(lower, Math.floor(lower.width * 0.62));
  return { outputs, source, tree };
}

function split(
  whole: Rectangle,
  parts: number,
  where: "beside" | "below",
): Rectangle[] {
  if (parts === 1) return [whole];
  const [first, rest] = where === "beside"
    ? cutAt(whole, Math.floor((whole.width - (parts - 1)) / parts))
    : cutBelow(whole, Math.floor(whole.height / parts));
  return [first, ...split(rest, parts - 1, where)];
}
