import { describe, wrongType } from "../ffi/_arguments.ts";
import type { Command, PipelineOptions } from "./pipeline_options.ts";
import type { SpawnOptions } from "./spawn_options.ts";
import { type SpawnPlan, spawnPlan } from "./_spawn_plan.ts";

/** What belongs to the pipeline as a whole, and so to no command. */
const OPTION_NAMES: readonly string[] = [
  "stdin",
  "stdout",
  "signal",
  "timeout",
  "killGrace",
] satisfies (keyof PipelineOptions)[];

/** Checks the arguments of `pipeline`; gives a plan for each of its programs. Nothing has happened yet. */
export function pipelinePlan(
  parts: readonly (readonly string[] | Command | PipelineOptions)[],
): SpawnPlan[] {
  const last = parts.at(-1);
  const options = isOptions(last) ? last : {};
  const commands = (isOptions(last) ? parts.slice(0, -1) : parts) as (
    readonly string[] | Command
  )[];
  if (commands.length === 0) {
    throw new TypeError(
      "'commands' must not be empty: there is nothing to start",
    );
  }
  const { stdin = "inherit", stdout = "piped", ...ending } = options;
  return commands.map((command, index) => {
    const name = `commands[${index}]`;
    const { file, args, own } = programOf(command, name);
    const all: SpawnOptions = {
      ...own,
      ...ending,
      // A pipe between programs is put in the place of "null" later.
      stdin: index === 0 ? stdin : "null",
      stdout: index === commands.length - 1 ? stdout : "null",
    };
    try {
      return spawnPlan(file, args, all);
    } catch (error) {
      if (error instanceof TypeError || error instanceof RangeError) {
        error.message = `${name}: ${error.message}`;
      }
      throw error;
    }
  });
}

function programOf(
  command: readonly string[] | Command,
  name: string,
): { file: string; args: readonly string[]; own: SpawnOptions } {
  if (Array.isArray(command)) {
    const [file, ...args] = command;
    if (file !== undefined) return { file, args, own: {} };
    throw new RangeError(
      `'${name}' must have a program as its first element: current value is []`,
    );
  }
  if (typeof command !== "object" || command === null) {
    throw wrongType(command, name, "an array of strings or a command");
  }
  const { file, args = [], ...own } = command as Command;
  if (file === undefined) {
    throw new TypeError(
      `'${name}' must have a 'file', or be the last argument with options of the pipeline alone (${
        OPTION_NAMES.join(", ")
      }): current value is ${describe(command)}`,
    );
  }
  const strange = Object.keys(own).find((key) => OPTION_NAMES.includes(key));
  if (strange !== undefined) {
    throw new TypeError(
      `'${name}' must not have '${strange}', which belongs in the options after the last command`,
    );
  }
  return { file, args, own };
}

function isOptions(part: unknown): part is PipelineOptions {
  return typeof part === "object" && part !== null && !Array.isArray(part) &&
    Object.keys(part).every((key) => OPTION_NAMES.includes(key));
}
