import { fromFileUrl, join } from "@std/path";

/** What is missing where there is no compiler. */
export const COMPILER = "C compiler (cc)";

/** Programs in C, compiled into a directory of their own that disposing of them removes. */
export class Workshop {
  readonly #directory: string = Deno.makeTempDirSync({ prefix: "bench-" });

  /** Compiles a source of this folder; `null` if there is no compiler. */
  async compile(
    source: string,
    output: string,
    ...flags: string[]
  ): Promise<string | null> {
    const path = join(this.#directory, output);
    const from = fromFileUrl(new URL(source, import.meta.url));
    const args = ["-O2", ...flags, "-o", path, from];
    try {
      const { success } = await new Deno.Command("cc", {
        args,
        stderr: "inherit",
      }).output();
      if (!success) throw new Error(`cc refuses ${source}`);
      return path;
    } catch (error) {
      if (error instanceof Deno.errors.NotFound) return null;
      throw error;
    }
  }

  [Symbol.dispose](): void {
    Deno.removeSync(this.#directory, { recursive: true });
  }
}

/** Runs a program that prints one number. */
export async function numberFrom(
  command: string,
  ...args: string[]
): Promise<number> {
  const { success, stdout } = await new Deno.Command(command, {
    args,
    stderr: "inherit",
  }).output();
  if (!success) throw new Error(`${command} failed`);
  return Number(new TextDecoder().decode(stdout));
}
