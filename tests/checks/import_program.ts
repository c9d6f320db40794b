/**
 * What a program that has nothing but the library's name does with it, all exports being tried: every floor of the house is
 * used once.
 */
function program(name: string): string {
  return `
import { exec, ipc, PosixError, process } from "${name}";
import { execlp } from "${name}/exec";
import { ERRNO } from "${name}/ffi";
import { pipe } from "${name}/ipc";
import { fork } from "${name}/process";
import { waitpid } from "${name}/wait";
const same = exec.execlp === execlp && ipc.pipe === pipe && process.fork === fork;
const [from, to] = pipe();
const child = fork();
if (child === 0) {
  ipc.dup2(to, 1);
  execlp("echo", "echo", "over a pipe");
}
ipc.close(to);
const text = new TextDecoder().decode(ipc.readAll(from));
ipc.close(from);
const { status } = waitpid(child)!;
try {
  waitpid(child);
} catch (error) {
  const known = error instanceof PosixError && error.errno === ERRNO.ECHILD;
  console.log(text.trim(), same, status.kind, known && error.code);
}
`;
}

/** A configuration, which says what the names of imports stand for, and what the permission is called by which they are loaded. */
export interface Importer {
  /** What the library is called in the program. */
  readonly name: string;
  /** The program's `deno.json`. */
  readonly config?: Readonly<Record<string, unknown>>;
  /** Environment of the program. */
  readonly env?: Readonly<Record<string, string>>;
  /** Further arguments of `deno run`. */
  readonly args?: readonly string[];
}

/**
 * Runs the program in a directory of its own, with an empty cache and no permission but for FFI; gives what was wrong.
 */
export async function runImporter(
  { name, config = {}, env = {}, args = [] }: Importer,
): Promise<string | undefined> {
  const directory = await Deno.makeTempDir();
  try {
    await Deno.writeTextFile(`${directory}/program.ts`, program(name));
    await Deno.writeTextFile(`${directory}/deno.json`, JSON.stringify(config));
    const { stdout, stderr } = await new Deno.Command(Deno.execPath(), {
      args: ["run", "--check", "--no-prompt", "--allow-ffi", ...args]
        .concat("program.ts"),
      cwd: directory,
      env: { DENO_DIR: `${directory}/cache`, NO_COLOR: "1", ...env },
    }).output();
    const decoder = new TextDecoder();
    const printed = decoder.decode(stdout).trim();
    if (printed === "over a pipe true exited ECHILD") return undefined;
    return `printed ${JSON.stringify(printed)}\n${decoder.decode(stderr)}`;
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
}
