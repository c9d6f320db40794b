import { fileURLToPath } from "node:url";
import config from "../../deno.json" with { type: "json" };

/** One start of an example; `{scratch}` in an argument stands for a path that is this run's own. */
export interface Start {
  example: string;
  args: readonly string[];
  /**
   * Whether the terminal is to outlive the program for a while, as that of a shell does. It is hung up, and
   * everybody in it gets SIGHUP, when the process ends that was started in it first.
   */
  linger?: boolean;
}

/** What can be chosen: an example, or several that belong together. */
export interface Stop {
  name: string;
  /** What there is to see, in one sentence. */
  sentence: string;
  /** What is started, together; the example of that name where nothing is said. */
  starts?: readonly Start[];
  /** What to do while it runs. */
  hint?: string;
  /** The named queues that it may leave behind when it is ended half way. */
  queues?: readonly string[];
}

/** Examples on one subject. */
export interface Chapter {
  title: string;
  stops: readonly Stop[];
}

/** The examples, in the order of the tour. */
export const chapters: readonly Chapter[] = [
  {
    title: "Processes",
    stops: [
      { name: "fork", sentence: "One process becomes two." },
      {
        name: "orphan",
        sentence: "A child outlives its parent; this tour adopts it.",
        starts: [{ example: "orphan", args: [], linger: true }],
      },
      {
        name: "zombie",
        sentence: "A child that has ended, but was not waited for.",
      },
      {
        name: "group",
        sentence: "Processes of one group are signalled as one.",
      },
      {
        name: "session",
        sentence: "Who may begin a session, and what it leads.",
      },
      { name: "limits", sentence: "What a process may use: ulimit -a." },
      { name: "pstree", sentence: "All processes of the system, as a tree." },
      {
        name: "test-runner",
        sentence: "Each test file runs in a fork of one warm process.",
      },
    ],
  },
  {
    title: "Waiting",
    stops: [
      { name: "wait", sentence: "A parent waits for its child's end." },
      {
        name: "wait-signal",
        sentence: "What a parent learns of a child that was killed.",
      },
      {
        name: "wait-all",
        sentence: "Waiting for all children, until there is none left.",
      },
      {
        name: "waitpid",
        sentence: "Asking now and then, and working in between.",
      },
      { name: "wait3", sentence: "The same, and what the child has used." },
      { name: "wait4", sentence: "What one given child of two has used." },
    ],
  },
  {
    title: "exec",
    stops: [
      { name: "exec", sentence: "A child becomes another program." },
      {
        name: "exec-launcher",
        sentence: "A launcher becomes what it launches; the PID stays.",
      },
    ],
  },
  {
    title: "Pipes",
    stops: [
      { name: "file", sentence: "Parent and child talk through a file." },
      { name: "pipe", sentence: "ps aux | grep deno, wired by hand." },
      {
        name: "pipeline",
        sentence: "The same as a shell does it: the parent stays free.",
      },
      { name: "pipe-talk", sentence: "Two children talk both ways." },
      {
        name: "pipe-nonblock",
        sentence: "A pipe that never makes its reader wait.",
      },
      {
        name: "log-top",
        sentence: "Who says most in a journal: five programs in a row.",
      },
    ],
  },
  {
    title: "FIFOs",
    stops: [
      {
        name: "fifo-write, fifo-read",
        sentence: "Two programs that know nothing but one name.",
        starts: [
          { example: "fifo-write", args: ["{scratch}"] },
          { example: "fifo-read", args: ["{scratch}"] },
        ],
      },
      {
        name: "fifo-talk-1, fifo-talk-2",
        sentence: "One asks and the other answers, through one FIFO.",
        starts: [
          { example: "fifo-talk-1", args: ["{scratch}"] },
          { example: "fifo-talk-2", args: ["{scratch}"] },
        ],
      },
      {
        name: "fifo-fork",
        sentence: "A FIFO that was opened before the fork.",
      },
    ],
  },
  {
    title: "Queues",
    stops: [
      {
        name: "queue",
        sentence: "Values go from process to process: a child asks.",
      },
      {
        name: "chat",
        sentence: "Two unrelated processes talk through named queues.",
        starts: [
          { example: "chat", args: ["tour-a", "tour-b"] },
          { example: "chat", args: ["tour-b", "tour-a"] },
        ],
        hint: "type a line; Tab: the other one; Ctrl+D leaves",
        queues: ["example-chat-tour-a", "example-chat-tour-b"],
      },
      {
        name: "warm-workers",
        sentence: "A table is built once, and forked workers have it.",
      },
      {
        name: "word-count",
        sentence: "A pool of forked workers counts the words of a text.",
      },
    ],
  },
  {
    title: "Memory",
    stops: [
      {
        name: "memory",
        sentence: "What is changed after a fork is one's own.",
      },
      { name: "mmap-file", sentence: "A file that is memory." },
      { name: "mmap-fork", sentence: "Memory that parent and child share." },
    ],
  },
  {
    title: "Signals",
    stops: [
      { name: "kill", sentence: "A parent that loses patience." },
      { name: "signals", sentence: "All signals: kill -l." },
      {
        name: "signal-handler",
        sentence: "One signal is answered, another ignored.",
        hint: "try Ctrl+C and Ctrl+\\",
      },
      { name: "alarm", sentence: "An alarm clock ends an endless counter." },
      { name: "itimer", sentence: "A clock that ticks while others work." },
    ],
  },
  {
    title: "Terminals",
    stops: [
      { name: "pty", sentence: "A child in a terminal of its own." },
      {
        name: "shell",
        sentence: "A small shell with job control.",
        hint: "try: sleep 60 | cat, Ctrl+Z, jobs; exit leaves",
      },
      { name: "expect", sentence: "A program that plays against another." },
      {
        name: "web-terminal",
        sentence: "A real shell in a web page, on this machine alone.",
        hint: "open the address in a browser; Ctrl+C stops it",
      },
    ],
  },
  {
    title: "Daemons",
    stops: [
      {
        name: "daemon",
        sentence: "A process that goes on without a terminal.",
        starts: [{
          example: "daemon",
          args: ["{scratch}.pid", "{scratch}.log"],
        }],
        hint: "it goes on when the program has ended: see the tree",
      },
      { name: "guard", sentence: "A program that is started again and again." },
      {
        name: "supervise",
        sentence: "A supervisor keeps three programs alive.",
        hint: "Ctrl+C stops it",
      },
      {
        name: "prefork",
        sentence: "One socket, and four processes that answer.",
        hint: "curl http://127.0.0.1:8000 elsewhere; Ctrl+C stops it",
      },
    ],
  },
];

/** What there is to start for one of them. */
export function startsOf({ name, starts }: Stop): readonly Start[] {
  return starts ?? [{ example: name, args: [] }];
}

/** The one of that name, or that has an example of that name in it. */
export function stopOf(name: string | undefined): Stop | undefined {
  return chapters.flatMap(({ stops }) => stops).find((stop) =>
    stop.name === name || startsOf(stop).some(({ example }) => example === name)
  );
}

const root = new URL("../../", import.meta.url);

/** How an example is run, which its task in `deno.json` says. */
export interface ExampleCommand {
  /** The arguments of `deno`. */
  args: string[];
  /** Its file. */
  path: string;
  /** Those of the arguments that grant something. */
  permissions: string[];
}

/** Looks an example's task up. */
export function commandOf(example: string): ExampleCommand {
  const tasks: Record<string, unknown> = config.tasks;
  const task = tasks[`example:${example}`];
  if (typeof task !== "string") throw new Error(`no task example:${example}`);
  const [, ...words] = task.split(" ");
  const file = words.pop()!;
  const path = fileURLToPath(new URL(file, root));
  return {
    args: [...words, path],
    path,
    permissions: words.filter((word) => word.startsWith("--allow-")),
  };
}

/** All of it as text, for those who have no terminal to be shown around in. */
export function plainList(): string {
  return chapters.map(({ title, stops }) =>
    [
      title,
      ...stops.map((stop) => `  ${stop.name.padEnd(26)}${stop.sentence}`),
    ].join("\n")
  ).join("\n\n") +
    "\n\nRun one: deno task example:NAME. In a terminal, deno task tour shows them.\n";
}
