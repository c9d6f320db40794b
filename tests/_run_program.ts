import { assertEquals } from "@std/assert";
import { fromFileUrl } from "@std/path";
import { stripVTControlCharacters } from "node:util";
import { spawn } from "../exec/mod.ts";
import { killpg } from "../process/mod.ts";
import { readText } from "./_helpers.ts";

/** What a program has printed, and how it has ended. */
export interface ProgramResult {
  code: number;
  stdout: string;
  stderr: string;
}

/**
 * Runs a program of the tests as `deno run` does, with the one permission, in the V8 mode of the test run: where no test
 * runner is at work, or where what is done often would be slow in the test run's process, which is large.
 */
export async function runProgram(
  url: URL,
  args: readonly string[] = [],
): Promise<ProgramResult> {
  const v8Flags = readText("/proc/self/cmdline").split("\0")
    .filter((arg) => arg.startsWith("--v8-flags="));
  const command = [
    "run",
    "--quiet",
    "--no-check",
    "--allow-ffi",
    ...v8Flags,
    fromFileUrl(url),
    ...args,
  ];
  await using child = spawn("/proc/self/exe", command, {
    argv0: "deno",
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
    processGroup: 0,
  });
  // Whoever keeps its output from ending is of its group. Emulated machines are slow.
  const deadline = setTimeout(() => killpg(child.pid, "SIGKILL"), 120_000);
  const { code, stdout, stderr } = await child.output();
  clearTimeout(deadline);
  const decoder = new TextDecoder();
  return {
    code,
    stdout: decoder.decode(stdout),
    // In colours or not, as the environment has it.
    stderr: stripVTControlCharacters(decoder.decode(stderr)),
  };
}

/** Runs a program that must say one thing, complain of nothing, and end with 0. */
export async function assertProgramSays(
  url: URL,
  args: readonly string[],
  stdout: string,
): Promise<void> {
  assertEquals(await runProgram(url, args), { code: 0, stdout, stderr: "" });
}
