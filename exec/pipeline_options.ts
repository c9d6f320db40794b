import type { Signal } from "../process/signals.ts";
import type { ChildStatus } from "../process/child_process.ts";
import type { SpawnOptions, SpawnStream } from "./spawn_options.ts";

/** A program of a pipeline, with options of its own; what concerns the pipeline as a whole is in {@linkcode PipelineOptions}. */
export interface Command extends
  Omit<
    SpawnOptions,
    "stdin" | "stdout" | "signal" | "timeout" | "killGrace"
  > {
  /** The program: a name to be looked for on `PATH`, or a path. */
  file: string;
  /**
   * Its arguments, without its own name.
   *
   * @default {[]}
   */
  args?: readonly string[];
}

/** Options for `pipeline`. */
export interface PipelineOptions
  extends Pick<SpawnOptions, "signal" | "timeout" | "killGrace"> {
  /**
   * The standard input of the first program: this process's; nothing; a pipe, whose other end is `stdin` of the `Pipeline`; a
   * descriptor; or a file.
   *
   * @default {"inherit"}
   */
  stdin?: SpawnStream;
  /**
   * The standard output of the last program, likewise. With `"piped"` it must be read: a program that nobody reads waits when
   * some 64 KiB have piled up.
   *
   * @default {"piped"}
   */
  stdout?: SpawnStream;
}

/** How the programs of a pipeline have ended. */
export interface PipelineStatus {
  /** Whether all have ended with the exit code 0: what a shell says with `pipefail`. */
  success: boolean;
  /** The exit code of the last program that has not ended with 0, as of a shell with `pipefail`; 0 if there is none. */
  code: number;
  /** The signal that has killed that program; `null` if none has. */
  signal: Signal | null;
  /** Which programs have failed for reasons of their own, by their positions; the first has 0. */
  failed: number[];
  /**
   * Which were ended by SIGPIPE when those that read from them had left, as `yes` in `yes | head -1`, the last one included: mostly no
   * failure, though a shell with `pipefail` takes it for one.
   */
  cutShort: number[];
  /** Whether any was asked to end as the `timeout` had passed. */
  timedOut: boolean;
  /** How each of them has ended, in order. */
  stages: ChildStatus[];
}

/** How the programs of a pipeline have ended, and what the last one has written. */
export interface PipelineOutput extends PipelineStatus {
  /** All that the last program has written to its standard output. */
  stdout: Uint8Array<ArrayBuffer>;
}
