import type { Resource, ResourceLimit } from "../process/limits.ts";
import type { Signal } from "../process/signals.ts";
import type { Environment } from "./_become.ts";

/**
 * Where one of a program's standard streams goes to or comes from: one of Deno's three words, an open descriptor of this
 * process, or the path of a file, which must have a `/` in it, as in `"./log.txt"`.
 *
 * A file is opened by this process, and so relative to its working directory: for reading as standard input, else for
 * writing, created if it is not there, emptied if it is. For any other way, `open` it and give its descriptor.
 */
export type SpawnStream =
  | "inherit"
  | "null"
  | "piped"
  | number
  | `${string}/${string}`;

/** Options for `spawn`. */
export interface SpawnOptions {
  /**
   * The program's own name, `argv[0]`, where it is not that by which the program is found.
   *
   * @default {undefined} `file`
   */
  argv0?: string;
  /**
   * Variables that are added to this process's environment, or replace those of the same name.
   *
   * @default {undefined} none
   */
  env?: Environment;
  /**
   * Whether the program gets the variables in `env` alone.
   *
   * @default {false}
   */
  clearEnv?: boolean;
  /**
   * The program's working directory. A relative `file` with a `/` in it is looked up from there.
   *
   * @default {undefined} this process's
   */
  cwd?: string;
  /**
   * Standard input: this process's; nothing (`/dev/null`); a pipe, whose other end is `stdin` of the `ChildProcess`; an open
   * descriptor; or a file.
   *
   * @default {"inherit"}
   */
  stdin?: SpawnStream;
  /**
   * Standard output, likewise.
   *
   * @default {"inherit"}
   */
  stdout?: SpawnStream;
  /**
   * Standard error, likewise; `"stdout"` for the same as standard output, as with a shell's `2>&1`.
   *
   * @default {"inherit"}
   */
  stderr?: SpawnStream | "stdout";
  /**
   * Further descriptors: what each number from 3 on is to be, as descriptors of this process. Any permutation will do. No
   * other descriptor of this process is inherited, whatever its flags.
   *
   * @default {undefined} none
   */
  fds?: Readonly<Record<number, number>>;
  /**
   * The process group that the program joins; 0 for a new one that it leads.
   *
   * @default {undefined} this process's
   */
  processGroup?: number;
  /**
   * Whether the program leads a new session, without a controlling terminal, and a process group of its own.
   *
   * @default {false}
   */
  newSession?: boolean;
  /**
   * The user that the program runs as. Unless `gid` says otherwise, the group stays. A privileged process also takes away the
   * supplementary groups.
   *
   * @default {undefined} this process's
   */
  uid?: number;
  /**
   * The group that the program runs as.
   *
   * @default {undefined} this process's
   */
  gid?: number;
  /**
   * The signals that are blocked when the program starts, by name or number.
   *
   * @default {[]}
   */
  signalMask?: readonly (Signal | number)[];
  /**
   * Whether signals that this process ignores have their default actions in the program: all, or those given. Those that it
   * catches have them in any case, and so has SIGPIPE, which Deno ignores by itself.
   *
   * @default {false}
   */
  resetSignals?: boolean | readonly (Signal | number)[];
  /**
   * The permission bits that files which the program creates are not to have.
   *
   * @default {undefined} this process's
   */
  umask?: number;
  /**
   * The program's limits, by the name of the resource in C.
   *
   * @default {undefined} this process's
   */
  rlimits?: Readonly<Partial<Record<Resource, ResourceLimit>>>;
  /**
   * The signal that the program gets when this process ends, by name or number.
   *
   * What counts is the end of the *thread* that starts it: with `deno run` that is the main thread, and so the process; under
   * `deno test` it is the end of the test file. A program that changes its user loses the signal.
   *
   * @default {undefined} none
   */
  parentDeathSignal?: Signal | number;
  /**
   * The program's nice value, from -20 (served first) to 19.
   *
   * @default {undefined} this process's
   */
  priority?: number;
  /**
   * Ends the program when it aborts: SIGTERM, and after `killGrace` SIGKILL. One that has aborted already is thrown as the
   * error that it is, and nothing is started.
   *
   * @default {undefined} none
   */
  signal?: AbortSignal;
  /**
   * How many milliseconds the program has; then it is ended likewise.
   *
   * @default {undefined} any number
   */
  timeout?: number;
  /**
   * How many milliseconds the program has to end after SIGTERM before it is sent SIGKILL, whoever has asked for its end: `signal`,
   * `timeout` or `await using`. Its output is closed then too, as grandchildren may still hold on to that.
   *
   * @default {5000}
   */
  killGrace?: number;
}
