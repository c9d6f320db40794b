/**
 * A small shell with job control: pipelines, redirections, `&`, `jobs`, `fg`, `bg`, Ctrl+C, Ctrl+Z.
 *
 * Each pipeline is a process group, and the terminal belongs to one group at a time: that is the whole secret. What its keys
 * send goes to that group, and the others are stopped when they read. The calls are those of any C shell; they block, and so
 * does this program, which has nothing else to do.
 *
 * Words may be quoted; `$?` is the last status; `cd`, `exit`, `jobs`, `fg` and `bg` are built in.
 *
 * Run it: deno task example:shell
 */
import { isatty, read, write } from "../ipc/mod.ts";
import { chdir } from "../process/mod.ts";
import { Jobs } from "./_shell_jobs.ts";
import { parse, type Pipeline } from "./_shell_syntax.ts";

const interactive = isatty(0);
const jobs = new Jobs(interactive);
let status = 0;

const builtins: Record<string, (argument: string | undefined) => number> = {
  cd(path) {
    if (path === undefined) throw new Error("cd: where to?");
    chdir(path);
    return 0;
  },
  exit(code = String(status)) {
    jobs.hangUp();
    Deno.exit(Number(code) & 0xff);
  },
  jobs: () => jobs.list(),
  fg: (job) => jobs.foreground(job),
  bg: (job) => jobs.background(job),
};

function run(pipeline: Pipeline): number {
  const [name, argument] = pipeline.commands[0]!.words as [string, string?];
  const builtin =
    pipeline.commands.length === 1 && Object.hasOwn(builtins, name)
      ? builtins[name]
      : undefined;
  return builtin === undefined ? jobs.start(pipeline) : builtin(argument);
}

/** The next line that is typed; `undefined` at the end. */
function readLine(): string | undefined {
  for (;;) {
    const end = typed.indexOf("\n");
    if (end !== -1) {
      const line = typed.slice(0, end);
      typed = typed.slice(end + 1);
      return line;
    }
    const bytes = read(0, 4096);
    if (bytes.length === 0) return undefined;
    typed += decoder.decode(bytes, { stream: true });
  }
}

const decoder = new TextDecoder();
let typed = "";

// Caught, and not ignored: programs have the defaults again.
for (const signal of ["SIGINT", "SIGQUIT", "SIGTSTP"] as const) {
  Deno.addSignalListener(signal, () => {});
}

for (;;) {
  jobs.report();
  if (interactive) write(1, "$ ");
  const line = readLine();
  if (line === undefined) break;
  try {
    for (const pipeline of parse(line, status)) status = run(pipeline);
  } catch (error) {
    console.error(`shell: ${(error as Error).message}`);
    status = 2;
  }
}
if (interactive) console.log();
builtins.exit!(undefined);
