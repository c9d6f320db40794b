import { close, O_RDONLY, open, readAll } from "../../ipc/mod.ts";
import { chapters, commandOf, startsOf, type Stop } from "./chapters.ts";
import { type Key, parseKeys } from "./keys.ts";
import { layoutRun, type Size } from "./layout.ts";
import { type PaneSize, type Program, Run } from "./run.ts";
import { treeLines } from "./tree_lines.ts";
import {
  drawList,
  drawRun,
  firstLine,
  type Pane,
  type Picture,
  type Scroll,
} from "./views.ts";

const stops = chapters.flatMap(({ stops }) => stops);
const PAGE = 8;
const SIDEWAYS = 8;
const TOP: Scroll = { top: 0, left: 0 };
const BOTTOM: Scroll = { top: Infinity, left: 0 };

/** A pane that keys are for: the number of an output, or one of the others. */
type Focus = number | "list" | "source" | "tree";

/** Whom the guide tells. */
export interface GuideOptions {
  size: Size;
  /** Something is to be drawn. */
  onChange: () => void;
  /** Somebody wants to leave. */
  onQuit: () => void;
  onFailure: (error: unknown) => void;
}

/** What is chosen, what runs, and what each key does then. */
export class Guide implements AsyncDisposable {
  readonly #options: GuideOptions;
  #size: Size;
  #selected: Stop;
  #run: Run | undefined;
  #showSource = true;
  #focus: Focus = "list";
  readonly #scrolls = new Map<Focus, Scroll>();
  /** The program whose source is shown. */
  #shown = 0;
  #message = "";
  #ending = false;

  constructor(selected: string | undefined, options: GuideOptions) {
    this.#options = options;
    this.#size = options.size;
    this.#selected = stops.find((stop) =>
      stop.name === selected ||
      startsOf(stop).some(({ example }) => example === selected)
    ) ?? stops[0]!;
  }

  /** Takes what was typed. */
  type(bytes: Uint8Array): void {
    const keys = parseKeys(new TextDecoder().decode(bytes));
    const run = this.#run;
    if (run === undefined) return this.#each(keys, (key) => this.#choose(key));
    const focus = this.#focus;
    if (
      typeof focus === "number" && run.programs[focus]!.status === undefined &&
      !keys.some((key) => FOR_THE_GUIDE.has(key))
    ) {
      this.#scrolls.delete(this.#focus);
      run.type(focus, bytes);
      return;
    }
    this.#each(keys, (key) => this.#watch(run, key));
  }

  /** The terminal has another size. */
  resize(size: Size): void {
    this.#size = size;
    this.#run?.resize(this.#outputSizes());
    this.#options.onChange();
  }

  /** What is to be seen. */
  draw(): Picture {
    return this.#run === undefined
      ? this.#drawList()
      : this.#drawRun(this.#run);
  }

  /** Ends what runs. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#run?.end();
  }

  #each(keys: readonly Key[], take: (key: Key) => void): void {
    for (const key of keys) take(key);
    this.#options.onChange();
  }

  #choose(key: Key): void {
    this.#message = "";
    if (key === "q" || key === "ctrl c" || key === "ctrl d") {
      this.#options.onQuit();
    } else if (key === "enter") this.#start();
    else if (key === "s") {
      this.#showSource = !this.#showSource;
      this.#focus = "list";
    } else if (key === "tab" || key === "back tab") {
      this.#focus = this.#focus === "list" && this.#showSource
        ? "source"
        : "list";
    } else if (this.#focus === "source") this.#scroll(key);
    else {
      const at = stops.indexOf(this.#selected);
      const step = STEPS[key] ?? 0;
      const next = Math.max(0, Math.min(at + step, stops.length - 1));
      this.#selected = stops[next]!;
      if (next !== at) this.#scrolls.clear();
    }
  }

  #watch(run: Run, key: Key): void {
    if (key === "tab" || key === "back tab") {
      this.#turnFocus(run, key === "tab" ? 1 : -1);
    } else if (key === "escape" || key === "ctrl ]") this.#leave(run);
    else if (key === "page up" || key === "page down") {
      this.#scroll(key);
    } else if (key === "s") {
      this.#showSource = !this.#showSource;
      if (this.#focus === "source") this.#focus = 0;
      run.resize(this.#outputSizes());
    } else if (key === "q" || key === "ctrl c" || key === "ctrl d") {
      this.#leave(run);
    } else if (key === "enter" && !run.alive) {
      this.#leave(run, () => this.#start());
    } else this.#scroll(key);
  }

  #turnFocus({ programs }: Run, step: number): void {
    const panes = [
      ...programs.keys(),
      ...(this.#showSource ? ["source"] as const : []),
      "tree" as const,
    ];
    const at = panes.indexOf(this.#focus as number);
    this.#focus = panes.at((at + step) % panes.length)!;
    if (typeof this.#focus === "number") {
      if (this.#shown !== this.#focus) this.#scrolls.delete("source");
      this.#shown = this.#focus;
    }
  }

  #start(): void {
    this.#scrolls.clear();
    this.#message = "";
    this.#shown = 0;
    try {
      this.#run = new Run(this.#selected, this.#outputSizes(), this.#options);
      this.#focus = 0;
    } catch (error) {
      this.#message = `${(error as Error).message}`;
    }
  }

  /** Ends what runs, and goes back to the list, or on. */
  #leave(run: Run, then = () => {}): void {
    if (this.#ending) return;
    this.#ending = true;
    run.end().then(() => {
      this.#ending = false;
      this.#run = undefined;
      this.#focus = "list";
      this.#scrolls.clear();
      then();
      this.#options.onChange();
    }).catch(this.#options.onFailure);
  }

  #scroll(key: Key): void {
    const { top, left } = this.#scrollOf(this.#focus);
    const { lines, height } = this.#measure();
    const last = Math.max(0, lines - height);
    const first = firstLine({ top, left }, lines, height);
    const next = first + (STEPS[key] ?? 0);
    this.#scrolls.set(this.#focus, {
      // At the end, what is printed later is followed.
      top: typeof this.#focus === "number" && next >= last
        ? Infinity
        : Math.max(0, Math.min(next, last)),
      left: key === "right"
        ? left + SIDEWAYS
        : key === "left"
        ? Math.max(0, left - SIDEWAYS)
        : left,
    });
  }

  /** How many lines the focused pane has, and how many it can show. */
  #measure(): { lines: number; height: number } {
    const run = this.#run;
    const source = sourceOf(this.#example()).length;
    if (run === undefined) {
      return { lines: source, height: Math.max(1, this.#size.rows - 5) };
    }
    const layout = layoutRun(
      this.#size,
      run.programs.length,
      this.#showSource,
    );
    const focus = this.#focus;
    if (typeof focus === "number") {
      return {
        lines: run.programs[focus]!.screen.lines.length,
        height: layout.outputs[focus]!.height - 1,
      };
    }
    return focus === "tree"
      ? { lines: treesOf(run).length, height: layout.tree.height - 1 }
      : { lines: source, height: (layout.source?.height ?? 1) - 1 };
  }

  #outputSizes(): PaneSize[] {
    const { outputs } = layoutRun(
      this.#size,
      startsOf(this.#selected).length,
      this.#showSource,
    );
    return outputs.map(({ width, height }) => ({
      columns: width,
      rows: height - 1,
    }));
  }

  #example(): string {
    return startsOf(this.#selected)[this.#shown]?.example ??
      this.#selected.name;
  }

  #pane(
    name: number | "source" | "tree",
    title: string,
    lines: readonly string[],
  ): Pane {
    return { title, lines, scroll: this.#scrollOf(name) };
  }

  /** How far a pane is scrolled, by hand or from the start. */
  #scrollOf(name: Focus): Scroll {
    const scroll = this.#scrolls.get(name);
    if (scroll !== undefined) return scroll;
    if (typeof name === "number") return BOTTOM;
    if (name !== "source" || this.#run === undefined) return TOP;
    // The comment at its beginning has been read in the list.
    const end = sourceOf(this.#example()).indexOf(" */");
    return { top: end + 1, left: 0 };
  }

  #sourcePane(): Pane {
    const example = this.#example();
    return this.#pane(
      "source",
      `${example.replaceAll("-", "_")}.ts`,
      sourceOf(example),
    );
  }

  #drawList(): Picture {
    const command = startsOf(this.#selected).map(({ example }) =>
      `deno task example:${example}`
    );
    const permissions = commandOf(this.#example()).permissions.join(" ");
    return drawList(this.#size, {
      chapters,
      selected: this.#selected,
      command: `${[...new Set(command)].join(" and ")} (${permissions})`,
      source: this.#sourcePane(),
      showSource: this.#showSource,
      focus: this.#focus === "source" ? "source" : "list",
      message: this.#message,
    });
  }

  #drawRun(run: Run): Picture {
    const typing = typeof this.#focus === "number" &&
      run.programs[this.#focus]!.status === undefined;
    return drawRun(this.#size, {
      title: `${run.stop.name}: ${run.stop.sentence}`,
      outputs: run.programs.map((program, index) => ({
        ...this.#pane(
          index,
          `${program.example} ${endingOf(program)}`,
          program.screen.lines,
        ),
        cursor: program.status === undefined
          ? program.screen.cursor
          : undefined,
      })),
      source: this.#sourcePane(),
      tree: this.#pane(
        "tree",
        run.alive ? "processes" : "processes there were",
        treesOf(run),
      ),
      showSource: this.#showSource,
      focus: this.#focus === "list" ? 0 : this.#focus,
      message: this.#tidings(run),
      keys: typing
        ? "Esc end  Tab pane"
        : run.alive
        ? "Esc end  Tab pane  s source"
        : "Enter again  Esc back  Tab pane  s source",
    });
  }

  /** What to say of it, in a few words. */
  #tidings({ stop, alive, programs }: Run): string {
    if (this.#ending) return "ending it ...";
    if (!alive) return "";
    if (programs.every(({ status }) => status !== undefined)) {
      return "what it has started goes on";
    }
    return stop.hint ?? "";
  }
}

/** Keys that even a program with the focus does not get. */
const FOR_THE_GUIDE = new Set([
  "escape",
  "ctrl ]",
  "tab",
  "back tab",
  "page up",
  "page down",
]);

/** How many lines a key goes on. */
const STEPS: Record<Key, number> = {
  up: -1,
  k: -1,
  down: 1,
  j: 1,
  "page up": -PAGE,
  "page down": PAGE,
  home: -Infinity,
  g: -Infinity,
  end: Infinity,
  G: Infinity,
};

/** The processes; when nothing is left of them, those there have been. */
function treesOf({ alive, tree, fullest }: Run): string[] {
  return treeLines(alive ? tree : fullest);
}

function endingOf({ pty, status }: Program): string {
  if (status === undefined) return `${pty.pid}`;
  return status.signal === null
    ? `has ended with ${status.code}`
    : `ended by ${status.signal}`;
}

const sources = new Map<string, string[]>();

/** The lines of an example's file. */
function sourceOf(example: string): string[] {
  let lines = sources.get(example);
  if (lines === undefined) {
    const fd = open(commandOf(example).path, O_RDONLY);
    try {
      lines = new TextDecoder().decode(readAll(fd)).trimEnd().split("\n");
    } finally {
      close(fd);
    }
    sources.set(example, lines);
  }
  return lines;
}
