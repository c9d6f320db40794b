import { type PtyProcess, spawnPty } from "../../exec/mod.ts";
import { Queue, unlink } from "../../ipc/mod.ts";
import { PosixError } from "../../mod.ts";
import { type ChildStatus, getpid, killTree } from "../../process/mod.ts";
import { commandOf, type Start, startsOf, type Stop } from "./chapters.ts";
import { Descendants } from "./descendants.ts";
import { ProgramScreen } from "./program_screen.ts";

/** How often the processes are looked at: at first, when most comes and goes, and from the second second on. */
const LOOK_SOON_MS = 40;
const LOOK_AT_MOST_MS = 10;
const LOOK_MS = 250;
const SOON_MS = 2000;
/** One that prints without end is held back after so many bytes, for so long: nobody can read faster. */
const BURST_BYTES = 32_768;
const BURST_MS = 25;
/** How long they have to end when they are asked to. */
const GRACE_MS = 1500;

/** A shell that is there for a second after the program that it runs. */
const LINGERING = '"$@"; status=$?; sleep 1; exit $status';

/** The inner size of a pane. */
export interface PaneSize {
  columns: number;
  rows: number;
}

/** A program in a terminal of its own. */
export interface Program {
  example: string;
  pty: PtyProcess;
  writer: WritableStreamDefaultWriter<Uint8Array>;
  screen: ProgramScreen;
  status: ChildStatus | undefined;
}

/** Whom a run tells. */
export interface RunOptions {
  /** Something is to be shown. */
  onChange: () => void;
  /** Something has gone wrong here, and not in a program. */
  onFailure: (error: unknown) => void;
  /** A program has printed something: its screen has it already. */
  onOutput?: (text: string) => void;
}

/** What was started for one stop of the tour, and everything that descends from it. */
export class Run implements AsyncDisposable {
  readonly stop: Stop;
  readonly programs: Program[] = [];
  /** The processes that descend from this one. */
  readonly descendants = new Descendants();
  readonly #options: RunOptions;
  readonly #start = performance.now();
  readonly #reading: Promise<void>[] = [];
  readonly #scratch = `/tmp/tour-${getpid()}`;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #alive = true;
  #looked = 0;
  #ending: Promise<void> | undefined;

  constructor(stop: Stop, sizes: readonly PaneSize[], options: RunOptions) {
    this.stop = stop;
    this.#options = options;
    try {
      for (const [index, start] of startsOf(stop).entries()) {
        this.#launch(start, sizes[index]!);
      }
    } catch (error) {
      this.end().catch(options.onFailure);
      throw error;
    }
    this.#lookAgain();
  }

  /** Whether anything runs: the programs, or what they have left behind. */
  get alive(): boolean {
    return this.#alive;
  }

  /** Types something to a program, which takes it when it likes. */
  type(index: number, bytes: Uint8Array): void {
    const { writer, status } = this.programs[index]!;
    if (status !== undefined) return;
    // What is typed after the end is for nobody.
    writer.write(bytes).catch(() => {});
  }

  /** Tells the programs the sizes of their panes. */
  resize(sizes: readonly PaneSize[]): void {
    for (const [index, { pty, screen }] of this.programs.entries()) {
      const { columns, rows } = atLeastOne(sizes[index]!);
      screen.resize(columns, rows);
      try {
        pty.resize({ columns, rows });
      } catch (error) {
        // It has ended meanwhile.
        if (!(error instanceof PosixError)) throw error;
      }
    }
  }

  /** Ends everything that was started, and waits for it. Twice without harm. */
  end(): Promise<void> {
    return this.#ending ??= this.#end();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.end();
  }

  #launch({ example, args, linger = false }: Start, size: PaneSize): void {
    const { columns, rows } = atLeastOne(size);
    const deno = [
      ...commandOf(example).args,
      ...args.map((arg) => arg.replace("{scratch}", this.#scratch)),
    ];
    const options = {
      columns,
      rows,
      env: { TERM: "dumb", NO_COLOR: "1" },
    };
    const file = `/proc/${getpid()}/exe`;
    const pty = linger
      ? spawnPty("sh", ["-c", LINGERING, "sh", file, ...deno], options)
      : spawnPty(file, deno, { ...options, argv0: "deno" });
    const screen = new ProgramScreen(columns, rows);
    const writer = pty.writable.getWriter();
    const program: Program = {
      example,
      pty,
      writer,
      screen,
      status: undefined,
    };
    this.programs.push(program);
    this.#reading.push(this.#read(program), this.#wait(program));
  }

  async #read({ pty, screen }: Program): Promise<void> {
    try {
      const decoder = new TextDecoder();
      let burst = 0;
      for await (const bytes of pty.readable) {
        const text = decoder.decode(bytes, { stream: true });
        screen.write(text);
        this.#options.onOutput?.(text);
        this.#options.onChange();
        // Much comes and goes together with a line of output.
        const last = performance.now() - this.#looked;
        if (this.#alive && this.#isSoon() && last > LOOK_AT_MOST_MS) {
          this.#look();
        }
        burst += bytes.length;
        if (burst < BURST_BYTES) continue;
        burst = 0;
        await pause(BURST_MS);
      }
    } catch (error) {
      this.#options.onFailure(error);
    }
  }

  async #wait(program: Program): Promise<void> {
    try {
      program.status = await program.pty.status;
      this.#look();
    } catch (error) {
      this.#options.onFailure(error);
    }
  }

  #isSoon(): boolean {
    return performance.now() - this.#start < SOON_MS;
  }

  #lookAgain(): void {
    this.#timer = setTimeout(() => {
      try {
        this.#look();
      } catch (error) {
        return this.#options.onFailure(error);
      }
      if (this.#alive) this.#lookAgain();
    }, this.#isSoon() ? LOOK_SOON_MS : LOOK_MS);
  }

  #look(): void {
    this.#looked = performance.now();
    this.descendants.look(this.programs.map(({ pty }) => pty.pid));
    if (
      this.descendants.none &&
      this.programs.every(({ status }) => status !== undefined)
    ) {
      this.#alive = false;
      clearTimeout(this.#timer);
    }
    this.#options.onChange();
  }

  async #end(): Promise<void> {
    for (const signal of ["SIGTERM", "SIGKILL"] as const) {
      const deadline = performance.now() + GRACE_MS;
      this.#look();
      if (!this.descendants.none) killTree(getpid(), signal);
      while (!this.descendants.none && performance.now() < deadline) {
        await pause(20);
        this.#look();
      }
    }
    await Promise.all(
      this.programs.map(({ pty }) => pty[Symbol.asyncDispose]()),
    );
    await Promise.all(this.#reading);
    this.#alive = false;
    clearTimeout(this.#timer);
    for (const suffix of ["", ".pid", ".log"]) {
      forget(() => unlink(this.#scratch + suffix));
    }
    for (const name of this.stop.queues ?? []) {
      forget(() => Queue.unlink(name));
    }
  }
}

function pause(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}

/** Removes what may have been removed before. */
function forget(remove: () => void): void {
  try {
    remove();
  } catch (error) {
    if (!(error instanceof PosixError && error.code === "ENOENT")) throw error;
  }
}

function atLeastOne({ columns, rows }: PaneSize): PaneSize {
  return { columns: Math.max(1, columns), rows: Math.max(1, rows) };
}
