import { assertEquals, assertMatch } from "@std/assert";
import { fromFileUrl } from "@std/path";
import { spawn, spawnPty } from "../../exec/mod.ts";
import { ProgramScreen } from "../../examples/tour/program_screen.ts";
import { getpid, kill } from "../../process/mod.ts";
import { children, readText, until, withoutLeaks } from "../_helpers.ts";
import { Dialogue } from "../exec/_dialogue.ts";

const tour = fromFileUrl(new URL("../../examples/tour.ts", import.meta.url));
const deno = `/proc/${getpid()}/exe`;
const args = ["run", "--quiet", "--no-check", "--allow-ffi", tour];

/** A shell that runs the tour, and says what modes the terminal has before and after. */
const SCRIPT = 'trap : INT; stty -g; "$@"; echo "code $?"; stty -g';

/** The tour in a terminal, as somebody sees it who sits there. */
class Visit implements AsyncDisposable {
  readonly #pty;
  readonly #dialogue: Dialogue;
  #size = { columns: 80, rows: 24 };
  #since = 0;

  constructor(
    example: string,
    env: Record<string, string> = { TERM: "xterm", NO_COLOR: "" },
  ) {
    this.#pty = spawnPty("sh", ["-c", SCRIPT, "sh", deno, ...args, example], {
      env,
    });
    this.#dialogue = new Dialogue(this.#pty);
  }

  /** All that was written to the terminal. */
  get written(): string {
    return this.#dialogue.text;
  }

  /** What is on the screen. */
  get screen(): string {
    const { columns, rows } = this.#size;
    const screen = new ProgramScreen(columns, rows);
    screen.write(this.written.slice(this.#since));
    return screen.lines.slice(-rows).join("\n");
  }

  /** The pid of the tour itself: the shell's only child. */
  get tourPid(): number {
    const { pid } = this.#pty;
    return Number(readText(`/proc/${pid}/task/${pid}/children`));
  }

  resize(columns: number, rows: number): void {
    // All is drawn anew.
    this.#since = this.written.length;
    this.#size = { columns, rows };
    this.#pty.resize(this.#size);
  }

  async type(keys: string): Promise<void> {
    await this.#dialogue.type(keys);
  }

  /** Waits until the screen is as wanted. */
  async sees(...patterns: RegExp[]): Promise<void> {
    try {
      await until(
        () => patterns.every((pattern) => pattern.test(this.screen)),
        15_000,
      );
    } catch (error) {
      throw new Error(`${patterns.join(" and ")} is not in\n${this.screen}`, {
        cause: error,
      });
    }
  }

  /** Waits for the end, after which everything must be as before; gives the exit code. */
  async end(): Promise<number> {
    await this.#dialogue.end();
    const lines = this.written.split("\r\n");
    const code = lines.findIndex((line) => /code \d+$/.test(line));
    assertEquals(lines[code + 1], lines[0], "modes of the terminal");
    const [shown, hidden] = ["\x1b[?25h", "\x1b[?25l"].map((sequence) =>
      this.written.lastIndexOf(sequence)
    );
    assertEquals(shown! > hidden!, true, "the cursor is to be seen");
    assertEquals(lines[code]!.includes("\x1b[?1049lcode "), true);
    return Number(lines[code]!.match(/\d+$/)![0]);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#dialogue[Symbol.asyncDispose]();
  }
}

Deno.test(
  "tour shows a program's output, its source and its processes, and leaves the terminal as it was",
  withoutLeaks(async () => {
    await using visit = new Visit("fork");
    await visit.sees(/^> fork/m, /fork\.ts/, /One process becomes two/);
    await visit.type("\r");
    await visit.sees(
      /has ended with 0/,
      /^child: PID \d+, PPID \d+$/m,
      /pid = fork\(\)/,
      /│this tour \d+/,
      /└─fork\.ts \d+/,
    );
    assertEquals(visit.screen.includes("/**"), false, visit.screen);
    await visit.type("\x1b");
    await visit.sees(/^> fork/m);
    await visit.type("j");
    await visit.sees(/^> orphan/m);
    await visit.type("q");
    assertEquals(await visit.end(), 0);
    assertEquals(visit.written.includes("\x1b[0;1m"), true);
  }),
);

Deno.test(
  "tour types into the running program, and ends it with all that it has started",
  withoutLeaks(async () => {
    await using visit = new Visit("shell", { TERM: "xterm", NO_COLOR: "1" });
    await visit.sees(/^> shell/m);
    await visit.type("\r");
    await visit.sees(/^\$$/m);
    await visit.type("sleep 1000 | cat\r");
    await visit.sees(/sleep \d+/, /cat \d+/);
    // A key for the program, not for the tour.
    await visit.type("\x1a");
    await visit.sees(/Stopped +sleep 1000/, /sleep \d+ stopped/);
    const sleeper = visit.screen.match(/sleep (\d+) stopped/)![1];
    visit.resize(130, 40);
    await visit.type("stty size\r");
    await visit.sees(/24 65/);
    await visit.type("\x1d");
    await visit.sees(/Enter run/);
    assertEquals(readText(`/proc/${sleeper}/stat`), "");
    await visit.type("\x03");
    assertEquals(await visit.end(), 0);
    // deno-lint-ignore no-control-regex
    assertEquals(visit.written.match(/\x1b\[[\d;]*m/g), null);
  }),
);

Deno.test(
  "tour scrolls, hides the source, and runs a program again",
  withoutLeaks(async () => {
    await using visit = new Visit("signals");
    await visit.sees(/^> signals/m);
    await visit.type("\r");
    await visit.sees(/has ended with 0/, /SIGRTMAX /);
    // A program that is over between two looks at the processes is not among them.
    const first = visit.screen.match(/signals\.ts \d+/)?.[0];
    await visit.type("g");
    await visit.sees(/SIGHUP /);
    await visit.type("\x1b[6~");
    await visit.sees(/SIGFPE |SIGKILL /);
    await visit.type("s");
    await visit.sees(/^── processes there were ─{40}/m);
    await visit.type("s\t");
    await visit.sees(/^>> signals\.ts ─/m);
    await visit.type("\x1b[H");
    await visit.sees(/^\/\*\* +│/m);
    await visit.type("\x1b[C");
    await visit.sees(/^ignals of the system/m);
    await visit.type("\t\r");
    await visit.sees(/^>> signals has ended with 0/m);
    if (first !== undefined) {
      await until(() => !visit.screen.includes(first));
    }
    await visit.type("\x03");
    await visit.sees(/^> signals/m);
    await visit.type("\x04");
    assertEquals(await visit.end(), 0);
  }),
);

Deno.test(
  "tour starts programs that belong together, and SIGTERM ends it all",
  withoutLeaks(async () => {
    await using visit = new Visit("fifo-read");
    await visit.sees(/^> fifo-write, fifo-read/m);
    await visit.type("\r");
    await visit.sees(
      /^wrote message 1 +│read: message 1/m,
      /fifo_write\.ts \d+/,
      /fifo_read\.ts \d+/,
    );
    const pids = [...visit.screen.matchAll(/fifo_\w+\.ts (\d+)/g)]
      .map(([, pid]) => pid);
    assertEquals(pids.length, 2);
    kill(visit.tourPid, "SIGTERM");
    assertEquals(await visit.end(), 143);
    for (const pid of pids) assertEquals(readText(`/proc/${pid}/stat`), "");
  }),
);

Deno.test(
  "tour prints line by line in a terminal that knows nothing else",
  withoutLeaks(async () => {
    const pty = spawnPty("sh", ["-c", SCRIPT, "sh", deno, ...args], {
      env: { TERM: "dumb" },
    });
    await using dialogue = new Dialogue(pty);
    await dialogue.until(/ {2}fork +One process becomes two\./);
    await dialogue.until(/Which one\? /);
    await dialogue.ask("none", /There is no none\.\r\n\r\nWhich one\? /);
    await dialogue.ask("fork", /const pid = fork\(\);/);
    await dialogue.until(/=== fork: One process becomes two\./);
    await dialogue.until(/ {2}\| └─fork\.ts \d+\r\n/);
    await dialogue.until(/=== fork has ended: exit code 0\r\n/);
    await dialogue.until(/Which one\? /);
    await dialogue.ask("shell", /=== shell: .*\r\n/);
    await dialogue.until(/\$ /);
    await dialogue.ask("sleep 1000", / {2}\| +└─sleep \d+\r\n/);
    await dialogue.type("\x03");
    await dialogue.until(/\^C/);
    await dialogue.until(/\r\n=== shell has ended: SIGTERM\r\n/);
    await dialogue.until(/Which one\? /);
    await dialogue.ask("q", /code 0\r\n/);
    await dialogue.end();
    const lines = dialogue.text.trimEnd().split("\r\n");
    assertEquals(lines.at(-1), lines[0], "modes of the terminal");
    assertEquals(dialogue.text.includes("\x1b"), false);
  }),
);

Deno.test(
  "tour prints a plain list where there is no terminal",
  withoutLeaks(async () => {
    const child = spawn(deno, args, {
      argv0: "deno",
      stdin: "null",
      stdout: "piped",
    });
    const text = await child.text();
    assertEquals((await child.status).code, 0);
    assertMatch(text, /^Processes\n +fork +One process becomes two\.\n/);
    assertEquals(/\p{Cc}/u.test(text.replaceAll("\n", "")), false);
    assertEquals(children(), "");
  }),
);
