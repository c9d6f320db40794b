import { F_SETPIPE_SZ } from "../ffi/constants.ts";
import { descriptorSymbols } from "../ffi/_symbols.ts";
import { close } from "../ipc/close.ts";
import { pipe } from "../ipc/pipe.ts";
import { ChildFds } from "../process/_child_fds.ts";
import { ChildProcess } from "../process/child_process.ts";
import { pipelinePlan } from "./_pipeline_plan.ts";
import { Pipeline } from "./running_pipeline.ts";
import type { Command, PipelineOptions } from "./pipeline_options.ts";
import { type Start, startChildren } from "./_start_child.ts";
import type { SpawnPlan } from "./_spawn_plan.ts";

/** Four times the usual: more gains nothing, and all pipes of a user together are limited. */
const PIPE_SIZE = 0x40000;

/**
 * `pipe2` and `posix_spawnp` for each: starts programs of which each reads what the one before it writes, as `a | b | c` does in a
 * shell.
 *
 * Between them are plain kernel pipes, of 256 KiB where the system grants that: their bytes never come to this
 * process. What a shell would expand, quote or split is none of it: each program is an array of its name and its
 * arguments, or a {@linkcode Command} with options of its own. After the last of them there can be options for the
 * pipeline as a whole; an object without `file` is taken for those.
 *
 * The first program reads this process's standard input, and what the last one writes is to be read here, unless the options
 * say otherwise. All programs are started by {@linkcode spawn}, and what that says holds for each. If one of them cannot be
 * started, those that run already are killed and reaped before the error is thrown.
 *
 * @param commands The programs in order, and then, if there are any, the options.
 * @returns The running pipeline.
 * @throws {PosixError} What {@linkcode spawn} throws; nothing is left running then.
 * @throws {TypeError} If there is no command, or one has an option that belongs to the pipeline, or a wrong type somewhere.
 * @throws {RangeError} If a command is an empty array, or a number is out of range.
 *
 * @example Counting words
 * ```ts
 * import { pipeline } from "@posix/process/exec";
 * import { assertEquals } from "@std/assert";
 *
 * const words = pipeline(["printf", "b\\na\\nb\\n"], ["sort"], ["uniq", "-c"], { stdin: "null" });
 * assertEquals((await words.text()).split(/\s+/), ["", "1", "a", "2", "b", ""]);
 * assertEquals((await words.status).success, true);
 * ```
 *
 * @see {@link https://man7.org/linux/man-pages/man7/pipe.7.html | pipe(7)}
 */
export function pipeline(
  ...commands:
    | (readonly string[] | Command)[]
    | [...(readonly string[] | Command)[], PipelineOptions]
): Pipeline {
  const plans = pipelinePlan(commands);
  const { ending } = plans[0]!;
  ending.signal?.throwIfAborted();
  const between: [reader: number, writer: number][] = [];
  const starts: Start[] = [];
  try {
    for (let i = 1; i < plans.length; i++) between.push(roomyPipe());
    for (const [index, plan] of plans.entries()) {
      starts.push({
        launch: plan.launch,
        fds: new ChildFds(
          wire(plan, between[index - 1]?.[0], between[index]?.[1]),
        ),
      });
    }
  } catch (error) {
    for (const { fds } of starts) fds.close();
    for (const fd of between.flat()) close(fd);
    throw error;
  }
  try {
    const parts = startChildren(starts);
    return new Pipeline(
      parts.map((part) => new ChildProcess(part, ending)),
    );
  } finally {
    for (const fd of between.flat()) close(fd);
  }
}

/** A pipe with more room than usual, if the system grants it: then programs wait less often for each other. */
function roomyPipe(): [number, number] {
  const ends = pipe();
  descriptorSymbols().fcntl(ends[1], F_SETPIPE_SZ, PIPE_SIZE);
  return ends;
}

/** The descriptors of a program, with the pipes on its two sides in place. */
function wire(
  { fds }: SpawnPlan,
  reader: number | undefined,
  writer: number | undefined,
): SpawnPlan["fds"] {
  return fds.map(([target, source]) => {
    if (target === 0 && reader !== undefined) return [target, reader];
    if (target === 1 && writer !== undefined) return [target, writer];
    return [target, source];
  });
}
