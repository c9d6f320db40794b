import type { Resource } from "../process/getrlimit.ts";
import { forkExec } from "./_fork_exec.ts";
import { posixSpawn } from "./_posix_spawn.ts";

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
  readonly argv: Uint8Array<ArrayBuffer>;
  readonly environment: { readonly address: bigint };
  readonly cwd: string | undefined;
  readonly newSession: boolean;
  /** The group to join, 0 for one of its own; `undefined` for this process's. */
  readonly processGroup: number | undefined;
  /** The signals that are blocked, as a `sigset_t`. */
  readonly signalMask: Uint8Array<ArrayBuffer>;
  /** The signals that are to have their default actions, by number. */
  readonly defaultSignals: readonly number[];
  /** In this order. */
  readonly fileActions: readonly FileAction[];
  readonly settings: Settings | undefined;
}

/**
 * Starts a program, and gives its pid; the error says what was wrong, and then there is no child.
 *
 * By `posix_spawn` wherever that can do what is asked. Of the rest, some is the property of a whole process (limits, the
 * file mode mask), and could be set neither here, where other threads would see it, nor in a program that runs already; some
 * the kernel takes away from a new process (the parent's death signal). For that this process is forked.
 */
export function launch(launch: Launch): number {
  return launch.settings === undefined ? posixSpawn(launch) : forkExec(launch);
}
