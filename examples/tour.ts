/**
 * A tour of all the examples: each is run in a terminal of its own, beside its source and a live tree of its processes.
 *
 * Keys are Enter, Tab, Esc and those that the last row names. Without a terminal a list is printed, and in one that
 * knows nothing but lines (`TERM=dumb`) all goes line by line. `--allow-ffi` is enough: terminals, programs,
 * processes and files are the library's own business. Nothing is installed for it either, so that it starts without
 * a network: what packages for terminals have more than the small parts in `tour/` would not be used.
 *
 * Run it: deno task tour [example]
 */
import { isatty, writeAll } from "../ipc/mod.ts";
import { setChildSubreaper } from "../process/mod.ts";
import { plainList } from "./tour/chapters.ts";
import { Guide } from "./tour/guide.ts";
import { tourInLines } from "./tour/in_lines.ts";
import { readText } from "./tour/source.ts";
import { Terminal } from "./tour/terminal.ts";

/** No more than so many pictures a second. */
const PICTURE_MS = 40;

/** What kind of terminal it is: a variable of the environment, without a permission of its own. */
function terminalType(): string | undefined {
  return readText("/proc/self/environ").split("\0")
    .find((entry) => entry.startsWith("TERM="))?.slice("TERM=".length);
}

/** Shows everything, until somebody wants to leave, or it has to end; gives the exit code. */
async function show(selected: string | undefined): Promise<number> {
  const over = Promise.withResolvers<number>();
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
    Deno.addSignalListener(signal, () => over.resolve(SIGNALLED[signal]));
  }
  const terminal = new Terminal(!Deno.noColor);
  let timer: ReturnType<typeof setTimeout> | undefined;
  const guide = new Guide(selected, {
    size: terminal.size,
    onChange: () => timer ??= setTimeout(draw, PICTURE_MS),
    onQuit: () => over.resolve(0),
    onFailure: over.reject,
  });
  function draw(): void {
    timer = undefined;
    try {
      terminal.show(guide.draw());
    } catch (error) {
      over.reject(error);
    }
  }
  async function listen(): Promise<void> {
    for (let bytes; (bytes = await terminal.read()) !== undefined;) {
      guide.type(bytes);
    }
    over.resolve(0);
  }
  try {
    // Whatever else goes wrong: it is to be read on the shell's screen.
    for (const type of ["error", "unhandledrejection"]) {
      addEventListener(type, () => terminal[Symbol.dispose]());
    }
    Deno.addSignalListener("SIGWINCH", () => {
      terminal.clear();
      guide.resize(terminal.size);
    });
    draw();
    listen().catch(over.reject);
    return await over.promise;
  } finally {
    clearTimeout(timer);
    terminal[Symbol.dispose]();
    await guide[Symbol.asyncDispose]();
  }
}

const SIGNALLED = { SIGHUP: 129, SIGINT: 130, SIGTERM: 143 };

if (!isatty(0) || !isatty(1)) writeAll(1, plainList());
else {
  // Orphans and daemons come to this process, and so are seen, and ended.
  setChildSubreaper(true);
  const [selected] = Deno.args;
  const isDumb = ["dumb", "", undefined].includes(terminalType());
  Deno.exit(await (isDumb ? tourInLines(selected) : show(selected)));
}
