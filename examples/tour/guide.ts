import { chapters, stopOf } from "./chapters.ts";
import {
  type GuideState,
  listViewOf,
  measure,
  outputSizes,
  runViewOf,
  scrollOf,
} from "./guide_views.ts";
import { type Key, parseKeys } from "./keys.ts";
import type { Size } from "./layout.ts";
import { Run } from "./run.ts";
import { drawList, drawRun, firstLine, type Picture } from "./views.ts";

const stops = chapters.flatMap(({ stops }) => stops);
const PAGE = 8;
const SIDEWAYS = 8;

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
  readonly #state: GuideState;
  #run: Run | undefined;

  constructor(selected: string | undefined, options: GuideOptions) {
    this.#options = options;
    this.#state = {
      size: options.size,
      selected: stopOf(selected) ?? stops[0]!,
      showSource: true,
      focus: "list",
      scrolls: new Map(),
      shown: 0,
      message: "",
      ending: false,
    };
  }

  /** Takes what was typed. */
  type(bytes: Uint8Array): void {
    const keys = parseKeys(new TextDecoder().decode(bytes));
    const run = this.#run;
    if (run === undefined) return this.#each(keys, (key) => this.#choose(key));
    const focus = this.#state.focus;
    if (
      typeof focus === "number" && run.programs[focus]!.status === undefined &&
      !keys.some((key) => FOR_THE_GUIDE.has(key))
    ) {
      this.#state.scrolls.delete(this.#state.focus);
      run.type(focus, bytes);
      return;
    }
    this.#each(keys, (key) => this.#watch(run, key));
  }

  /** The terminal has another size. */
  resize(size: Size): void {
    this.#state.size = size;
    this.#run?.resize(outputSizes(this.#state));
    this.#options.onChange();
  }

  /** What is to be seen. */
  draw(): Picture {
    const { size } = this.#state;
    return this.#run === undefined
      ? drawList(size, listViewOf(this.#state))
      : drawRun(size, runViewOf(this.#state, this.#run));
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
    this.#state.message = "";
    if (key === "q" || key === "ctrl c" || key === "ctrl d") {
      this.#options.onQuit();
    } else if (key === "enter") this.#start();
    else if (key === "s") {
      this.#state.showSource = !this.#state.showSource;
      this.#state.focus = "list";
    } else if (key === "tab" || key === "back tab") {
      this.#state.focus = this.#state.focus === "list" && this.#state.showSource
        ? "source"
        : "list";
    } else if (this.#state.focus === "source") this.#scroll(key);
    else {
      const at = stops.indexOf(this.#state.selected);
      const step = STEPS[key] ?? 0;
      const next = Math.max(0, Math.min(at + step, stops.length - 1));
      this.#state.selected = stops[next]!;
      if (next !== at) this.#state.scrolls.clear();
    }
  }

  #watch(run: Run, key: Key): void {
    if (key === "tab" || key === "back tab") {
      this.#turnFocus(run, key === "tab" ? 1 : -1);
    } else if (key === "escape" || key === "ctrl ]") this.#leave(run);
    else if (key === "page up" || key === "page down") {
      this.#scroll(key);
    } else if (key === "s") {
      this.#state.showSource = !this.#state.showSource;
      if (this.#state.focus === "source") this.#state.focus = 0;
      run.resize(outputSizes(this.#state));
    } else if (key === "q" || key === "ctrl c" || key === "ctrl d") {
      this.#leave(run);
    } else if (key === "enter" && !run.alive) {
      this.#leave(run, () => this.#start());
    } else this.#scroll(key);
  }

  #turnFocus({ programs }: Run, step: number): void {
    const panes = [
      ...programs.keys(),
      ...(this.#state.showSource ? ["source"] as const : []),
      "tree" as const,
    ];
    const at = panes.indexOf(this.#state.focus as number);
    this.#state.focus = panes.at((at + step) % panes.length)!;
    if (typeof this.#state.focus === "number") {
      if (this.#state.shown !== this.#state.focus) {
        this.#state.scrolls.delete("source");
      }
      this.#state.shown = this.#state.focus;
    }
  }

  #start(): void {
    this.#state.scrolls.clear();
    this.#state.message = "";
    this.#state.shown = 0;
    try {
      this.#run = new Run(
        this.#state.selected,
        outputSizes(this.#state),
        this.#options,
      );
      this.#state.focus = 0;
    } catch (error) {
      this.#state.message = `${(error as Error).message}`;
    }
  }

  /** Ends what runs, and goes back to the list, or on. */
  #leave(run: Run, then = () => {}): void {
    if (this.#state.ending) return;
    this.#state.ending = true;
    run.end().then(() => {
      this.#state.ending = false;
      this.#run = undefined;
      this.#state.focus = "list";
      this.#state.scrolls.clear();
      then();
      this.#options.onChange();
    }).catch(this.#options.onFailure);
  }

  #scroll(key: Key): void {
    const { focus } = this.#state;
    const { top, left } = scrollOf(this.#state, this.#run, focus);
    const { lines, height } = measure(this.#state, this.#run);
    const last = Math.max(0, lines - height);
    const first = firstLine({ top, left }, lines, height);
    const next = first + (STEPS[key] ?? 0);
    this.#state.scrolls.set(focus, {
      // At the end, what is printed later is followed.
      top: typeof focus === "number" && next >= last
        ? Infinity
        : Math.max(0, Math.min(next, last)),
      left: key === "right"
        ? left + SIDEWAYS
        : key === "left"
        ? Math.max(0, left - SIDEWAYS)
        : left,
    });
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
