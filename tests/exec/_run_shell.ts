import { type ChildOutput, spawn, type SpawnOptions } from "../../exec/mod.ts";
import { decode } from "../ipc/_helpers.ts";

/** Runs a script of the shell, and gives what it prints. */
export async function runShell(
  script: string,
  options: SpawnOptions = {},
): Promise<ChildOutput & { text: string }> {
  const child = spawn("/bin/sh", ["-c", script], {
    stdout: "piped",
    ...options,
  });
  const output = await child.output();
  return Object.assign(output, { text: decode(output.stdout) });
}
