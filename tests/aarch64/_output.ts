/** Runs a program to its end; gives what it printed, or throws with what it complained of. */
export async function output(
  program: string,
  args: readonly string[],
): Promise<string> {
  const { success, stdout, stderr } = await new Deno.Command(program, {
    args: [...args],
    env: { NO_COLOR: "1" },
  }).output();
  const [printed, complaint] = [stdout, stderr]
    .map((bytes) => new TextDecoder().decode(bytes));
  if (success) return printed!;
  throw new Error(`${program} ${args.join(" ")}:\n${printed}${complaint}`);
}

/** The names of the programs that are not on PATH. */
export async function missing(names: readonly string[]): Promise<string[]> {
  const absent: string[] = [];
  for (const name of names) {
    const { success } = await new Deno.Command("sh", {
      args: ["-c", 'command -v "$1"', "sh", name],
      stdout: "null",
    }).output();
    if (!success) absent.push(name);
  }
  return absent;
}
