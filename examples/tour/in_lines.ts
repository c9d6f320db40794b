import { stripVTControlCharacters } from "node:util";
import {
  close,
  O_RDONLY,
  open,
  readableStream,
  writeAll,
} from "../../ipc/mod.ts";
import { plainList, startsOf, type Stop, stopOf } from "./chapters.ts";
import { Run } from "./run.ts";
import { sourceOf } from "./source.ts";
import { treeLines } from "./tree_lines.ts";

const OUTPUT = 1;
const SIZE = { columns: 80, rows: 24 };

/** What somebody does: types a line, wants to have done with what runs, or to leave. */
type Event = { line: string } | "interrupt" | "leave";

/**
 * The tour for a terminal that knows nothing but lines (`TERM=dumb`): the source, then what the program prints, and
 * the processes in between, whenever there are others than before. Gives the exit code.
 */
export async function tourInLines(
  selected: string | undefined,
): Promise<number> {
  const fd = open("/dev/tty", O_RDONLY);
  const typed = readableStream(fd, { autoClose: false });
  const reader = typed.pipeThrough(new TextDecoderStream()).getReader();
  let take: (event: Event) => void = () => {};
  let code = 0;
  Deno.addSignalListener("SIGINT", () => take("interrupt"));
  for (const [signal, status] of [["SIGTERM", 143], ["SIGHUP", 129]] as const) {
    Deno.addSignalListener(signal, () => {
      code = status;
      take("leave");
    });
  }
  listen(reader, (event) => take(event));
  const next = () => new Promise<Event>((resolve) => take = resolve);
  try {
    print(plainList());
    let stop = stopOf(selected);
    for (;;) {
      if (stop !== undefined) {
        if (await runInLines(stop, (taker) => take = taker) === "leave") break;
      }
      print("\nWhich one? (q leaves) ");
      const event = await next();
      if (typeof event === "string") break;
      const name = event.line.trim();
      if (name === "q") break;
      stop = stopOf(name);
      if (stop === undefined && name !== "") print(`There is no ${name}.\n`);
    }
    print("\n");
  } finally {
    await reader.cancel();
    close(fd);
  }
  return code;
}

async function listen(
  reader: ReadableStreamDefaultReader<string>,
  take: (event: Event) => void,
): Promise<void> {
  try {
    let rest = "";
    for (let text; (text = (await reader.read()).value) !== undefined;) {
      const lines = (rest + text).split("\n");
      rest = lines.pop()!;
      for (const line of lines) take({ line });
    }
  } catch {
    // The terminal is gone.
  }
  take("leave");
}

/** Runs what was chosen, to its end or until somebody has seen enough. */
async function runInLines(
  stop: Stop,
  listen: (taker: (event: Event) => void) => void,
): Promise<"over" | "leave"> {
  const starts = startsOf(stop);
  for (const example of new Set(starts.map(({ example }) => example))) {
    print(`\n${sourceOf(example).join("\n")}\n`);
  }
  print(`\n=== ${stop.name}: ${stop.sentence} (Ctrl+C ends it)\n`);
  const over = Promise.withResolvers<"over" | "leave">();
  let tree = "";
  let ending = false;
  const run = new Run(stop, starts.map(() => SIZE), {
    onChange() {
      // Who has the processor at this moment is no news.
      const now = treeLines(run.descendants.tree).join("\n").replaceAll(
        / runs$/gm,
        "",
      );
      if (now !== tree && !ending && !run.descendants.none) {
        printLines(`${now.replaceAll(/^/gm, "  | ")}\n`);
      }
      tree = now;
      if (!run.alive) over.resolve("over");
    },
    onFailure: over.reject,
    onOutput: (text) =>
      print(stripVTControlCharacters(text).replaceAll("\r", "")),
  });
  listen((event) => {
    if (event === "leave") over.resolve("leave");
    else if (event === "interrupt") {
      atStart = false; // the terminal shows ^C
      over.resolve("over");
    } else run.type(0, new TextEncoder().encode(`${event.line}\r`));
  });
  try {
    return await over.promise;
  } finally {
    ending = true;
    await run.end();
    for (const { example, status } of run.programs) {
      const how = status?.signal ?? `exit code ${status?.code}`;
      printLines(`=== ${example} has ended: ${how}\n`);
    }
  }
}

let atStart = true;

function print(text: string): void {
  if (text === "") return;
  writeAll(OUTPUT, text);
  atStart = text.endsWith("\n");
}

/** Prints lines of the tour's own, which begin where a program has not ended its line too. */
function printLines(text: string): void {
  print(atStart ? text : `\n${text}`);
}
