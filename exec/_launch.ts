import { SIGNAL_NUMBERS, signalSet } from "../ffi/_signals.ts";
import type { Resource } from "../process/limits.ts";

/** What is done to a descriptor in the child, on its way to the program. */
export type FileAction =
  | { readonly do: "dup2"; readonly from: number; readonly to: number }
  | {
    readonly do: "open";
    readonly fd: number;
    readonly path: string;
    readonly flags: number;
  }
  | { readonly do: "close"; readonly fd: number }
  | { readonly do: "closefrom"; readonly fd: number }
  /**
   * Takes copies of the standard streams, and nothing else. The only one of its list: until then the child shares this process's
   * descriptors, so that none is copied only to be closed.
   */
  | { readonly do: "copy standard streams" };

/** The signals of a program at its start. */
export interface ProgramSignals {
  /** Those that are blocked, as a `sigset_t`. */
  readonly blocked: Uint8Array<ArrayBuffer>;
  /** Those that are to have their default actions though they are ignored here, by number. */
  readonly reset: readonly number[];
}

/** What a program has if nothing else is asked for: SIGPIPE is ignored here by Deno itself, not by anybody's wish. */
export const PLAIN_SIGNALS: ProgramSignals = {
  blocked: signalSet([]),
  reset: [SIGNAL_NUMBERS.SIGPIPE],
};

/** What few programs are started with. */
export interface Settings {
  readonly uid: number | undefined;
  readonly gid: number | undefined;
  readonly umask: number | undefined;
  readonly priority: number | undefined;
  readonly parentDeathSignal: number | undefined;
  /** For each resource its two limits as C wants them. */
  readonly rlimits: ReadonlyMap<Resource, Uint8Array<ArrayBuffer>>;
}

/** A program and all that it is to start with, checked and in the terms of C. */
export interface Launch {
  /** The program's name, to be looked for on `PATH`, or its path. */
  readonly file: string;
  /** Its arguments, its own name first. */
  readonly args: readonly string[];
  readonly environment: { readonly address: bigint };
  readonly cwd: string | undefined;
  readonly newSession: boolean;
  /** The group to join, 0 for one of its own; `undefined` for this process's. */
  readonly processGroup: number | undefined;
  readonly signals: ProgramSignals;
  /** In this order. */
  readonly fileActions: readonly FileAction[];
  readonly settings: Settings | undefined;
}
