import { existsSync } from "node:fs";
import { fromFileUrl, join } from "@std/path";
import type { Missing, Peer } from "./_side_by_side.ts";

/** A program that is measured: how it is run, or what would have to be there for that. */
export type Program =
  & { by: string }
  & ({ command: readonly string[] } | { missing: string });

/** Programs in C, compiled into a directory of its own that disposing of it removes, with all else that is put there. */
export class Workshop {
  readonly #directory: string = Deno.makeTempDirSync({ prefix: "bench-" });

  /** Compiles a source of this folder. */
  async compile(
    source: string,
    output: string,
    ...flags: string[]
  ): Promise<Program> {
    const by = "C";
    if (!isThere("cc")) return { by, missing: "C compiler (cc)" };
    const path = this.place(output);
    const { success } = await new Deno.Command("cc", {
      args: ["-O2", ...flags, "-o", path, here(source)],
      stderr: "inherit",
    }).output();
    if (!success) throw new Error(`cc refuses ${source}`);
    return { by, command: [path] };
  }

  /** A path in the directory. */
  place(name: string): string {
    return join(this.#directory, name);
  }

  [Symbol.dispose](): void {
    Deno.removeSync(this.#directory, { recursive: true });
  }
}

/** A program of this folder that uses the library. */
export function inDeno(
  file: string,
  ...flags: string[]
): Program & { command: readonly string[] } {
  const command = [Deno.execPath(), "run", "--quiet", ...flags, here(file)];
  return { by: "the library", command };
}

/** A program of this folder in Python. */
export function inPython(file: string): Program {
  return installed("Python", "python3", here(file));
}

/** A program of this folder in Node's JavaScript. */
export function inNode(file: string): Program {
  return installed("Node", "node", here(file));
}

/** A program that this machine may have. */
export function installed(by: string, ...command: string[]): Program {
  const [file = ""] = command;
  return isThere(file) ? { by, command } : { by, missing: file };
}

/** The same on one processor, the first that this process may run on. */
export function pinned(program: Program): Program {
  if ("missing" in program) return program;
  const status = Deno.readTextFileSync("/proc/self/status");
  const cpu = /^Cpus_allowed_list:\s*(\d+)/m.exec(status)![1]!;
  const { by, command } = program;
  return installed(by, "taskset", "--cpu-list", cpu, ...command);
}

/** The path of a file of this folder. */
function here(file: string): string {
  return fromFileUrl(new URL(file, import.meta.url));
}

function isThere(program: string): boolean {
  const directories = (Deno.env.get("PATH") ?? "").split(":");
  return directories.some((directory) => existsSync(join(directory, program)));
}

/** A peer whose turn is one run of a program that prints its figure. */
export function printing(
  name: string,
  program: Program,
  ...args: (string | number)[]
): Peer | Missing {
  const { by } = program;
  return "missing" in program
    ? { name, by, missing: program.missing }
    : { name, by, turn: async () => Number(await outputOf(program, ...args)) };
}

/** A peer whose turn is one run of a program, of which the whole time is measured, in milliseconds. */
export function running(
  name: string,
  program: Program,
  ...args: (string | number)[]
): Peer | Missing {
  const { by } = program;
  if ("missing" in program) return { name, by, missing: program.missing };
  const turn = async () => {
    const started = performance.now();
    await outputOf(program, ...args);
    return performance.now() - started;
  };
  return { name, by, turn };
}

/** What a program prints. */
export async function outputOf(
  { command: [file, ...first] }: { command: readonly string[] },
  ...args: (string | number)[]
): Promise<string> {
  const { success, stdout } = await new Deno.Command(file!, {
    args: [...first, ...args.map(String)],
    stderr: "inherit",
  }).output();
  if (!success) throw new Error(`${file} ${first.join(" ")} has failed`);
  return new TextDecoder().decode(stdout);
}
