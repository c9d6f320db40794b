import type { Resource } from "../process/limits.ts";
import type { ProgramSignals } from "./_start_child.ts";

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
  | { readonly do: "closefrom"; readonly fd: number };

/** What `posix_spawn` cannot do. */
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
