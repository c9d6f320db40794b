import { chapters, commandOf, startsOf, type Stop } from "./chapters.ts";
import { layoutRun, type Size } from "./layout.ts";
import type { PaneSize, Program, Run } from "./run.ts";
import { sourceOf } from "./source.ts";
import { treeLines } from "./tree_lines.ts";
import type { ListView, Pane, RunView, Scroll } from "./views.ts";

const TOP: Scroll = { top: 0, left: 0 };
const BOTTOM: Scroll = { top: Infinity, left: 0 };

/** A pane that keys are for: the number of an output, or one of the others. */
export type Focus = number | "list" | "source" | "tree";

/** What the guide has in mind, besides what runs. */
export interface GuideState {
  size: Size;
  selected: Stop;
  showSource: boolean;
  focus: Focus;
  /** How far panes were scrolled by hand. */
  readonly scrolls: Map<Focus, Scroll>;
  /** The program whose source is shown. */
  shown: number;
  message: string;
  /** Whether what runs is being ended. */
  ending: boolean;
}

/** What is to be drawn of the list. */
export function listViewOf(state: GuideState): ListView {
  const { selected, showSource, focus, message } = state;
  const commands = startsOf(selected).map(({ example }) =>
    `deno task example:${example}`
  );
  const permissions = commandOf(exampleOf(state)).permissions.join(" ");
  return {
    chapters,
    selected,
    command: `${[...new Set(commands)].join(" and ")} (${permissions})`,
    source: sourcePane(state, undefined),
    showSource,
    focus: focus === "source" ? "source" : "list",
    message,
  };
}

/** What is to be drawn of what runs. */
export function runViewOf(state: GuideState, run: Run): RunView {
  const { showSource, focus } = state;
  const typing = typeof focus === "number" &&
    run.programs[focus]!.status === undefined;
  return {
    title: `${run.stop.name}: ${run.stop.sentence}`,
    outputs: run.programs.map((program, index) => ({
      title: `${program.example} ${endingOf(program)}`,
      lines: outputOf(program),
      scroll: scrollOf(state, run, index),
      cursor: program.status === undefined ? program.screen.cursor : undefined,
    })),
    source: sourcePane(state, run),
    tree: {
      title: run.alive ? "processes" : "processes there were",
      lines: treeOf(run),
      scroll: scrollOf(state, run, "tree"),
    },
    showSource,
    focus: focus === "list" ? 0 : focus,
    message: tidings(state, run),
    keys: typing
      ? "Esc end  Tab pane"
      : run.alive
      ? "Esc end  Tab pane  s source"
      : "Enter again  Esc back  Tab pane  s source",
  };
}

/** How far a pane is scrolled, by hand or from the start. */
export function scrollOf(
  state: GuideState,
  run: Run | undefined,
  focus: Focus,
): Scroll {
  const scroll = state.scrolls.get(focus);
  if (scroll !== undefined) return scroll;
  if (typeof focus === "number") return BOTTOM;
  if (focus !== "source" || run === undefined) return TOP;
  // The comment at its beginning has been read in the list.
  const end = sourceOf(exampleOf(state)).indexOf(" */");
  return { top: end + 1, left: 0 };
}

/** How many lines the focused pane has, and how many it can show. */
export function measure(
  state: GuideState,
  run: Run | undefined,
): { lines: number; height: number } {
  const { size, showSource, focus } = state;
  const source = sourceOf(exampleOf(state)).length;
  if (run === undefined) {
    return { lines: source, height: Math.max(1, size.rows - 5) };
  }
  const layout = layoutRun(size, run.programs.length, showSource);
  if (typeof focus === "number") {
    return {
      lines: outputOf(run.programs[focus]!).length,
      height: layout.outputs[focus]!.height - 1,
    };
  }
  return focus === "tree"
    ? { lines: treeOf(run).length, height: layout.tree.height - 1 }
    : { lines: source, height: (layout.source?.height ?? 1) - 1 };
}

/** The sizes of the terminals of what is selected. */
export function outputSizes(
  { size, selected, showSource }: GuideState,
): PaneSize[] {
  const { outputs } = layoutRun(size, startsOf(selected).length, showSource);
  return outputs.map(({ width, height }) => ({
    columns: width,
    rows: height - 1,
  }));
}

function exampleOf({ selected, shown }: GuideState): string {
  return startsOf(selected)[shown]?.example ?? selected.name;
}

function sourcePane(state: GuideState, run: Run | undefined): Pane {
  const example = exampleOf(state);
  return {
    title: `${example.replaceAll("-", "_")}.ts`,
    lines: sourceOf(example),
    scroll: scrollOf(state, run, "source"),
  };
}

/** What a program has printed; when it has ended, without the row in which it would go on. */
function outputOf({ screen, status }: Program): string[] {
  const { lines } = screen;
  if (status !== undefined && lines.at(-1) === "") lines.pop();
  return lines;
}

/** The processes; when nothing is left of them, those there have been. */
function treeOf({ alive, descendants: { tree, fullest } }: Run): string[] {
  return treeLines(alive ? tree : fullest);
}

function endingOf({ pty, status }: Program): string {
  if (status === undefined) return `${pty.pid}`;
  return status.signal === null
    ? `has ended with ${status.code}`
    : `ended by ${status.signal}`;
}

/** What to say of what runs, in a few words. */
function tidings(
  { ending }: GuideState,
  { stop, alive, programs }: Run,
): string {
  if (ending) return "ending it ...";
  if (!alive) return "";
  if (programs.every(({ status }) => status !== undefined)) {
    return "what it has started goes on";
  }
  return stop.hint ?? "";
}
