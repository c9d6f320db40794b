import type { Signal } from "./signals.ts";

/** Where one of a child's standard streams goes to or comes from: a descriptor, or one of Deno's three words. */
export type StandardStream = "inherit" | "null" | "piped" | number;

/** Options for `forkChild`. */
export interface ForkOptions {
  /**
   * The name of the child's main thread, which `ps` and `top` show: at most 15 bytes.
   *
   * @default {undefined} the parent's
   */
  name?: string;
  /**
   * The child's standard input: the parent's; nothing (`/dev/null`); a pipe, whose other end is the child's
   * `stdin`; or an open descriptor.
   *
   * @default {"inherit"}
   */
  stdin?: StandardStream;
  /**
   * The child's standard output, likewise.
   *
   * Under `deno test`, `console.log` goes to the test runner past this stream; what is written to descriptor 1 does not.
   *
   * @default {"inherit"}
   */
  stdout?: StandardStream;
  /**
   * The child's standard error, likewise.
   *
   * @default {"inherit"}
   */
  stderr?: StandardStream;
  /**
   * The signal that the child gets when its parent ends, by name or number.
   *
   * What counts is the end of the *thread* that has forked: with `deno run` that is the main thread, and so the process;
   * under `deno test` it is the end of the test file.
   *
   * @default {undefined} none
   */
  parentDeathSignal?: Signal | number;
  /**
   * Whether the child leads a new session, without a controlling terminal, and a process group of its own.
   *
   * @default {false}
   */
  newSession?: boolean;
  /**
   * The process group that the child joins; 0 for a new one that it leads. It is a member before `forkChild` resolves, and
   * before the body runs.
   *
   * @default {undefined} the parent's
   */
  processGroup?: number;
  /**
   * Whether the child lets go of the descriptors that it has inherited, but for 0, 1, 2 and an `except` list.
   *
   * Their files are closed as far as the child is concerned: a pipe can end, a lock be released. Their numbers, though, stay
   * taken, and each use of one gives `EBADF`, since inherited objects such as an open `Deno.FsFile` still know them. Left
   * alone is what the runtime needs: its event polls, eventfds and signal sockets, its copies of the standard streams, and the
   * files of SQLite, which its caches are made with. Under `deno test`, `console.log` writes to a pipe of the test runner,
   * which is let go of too.
   *
   * @default {false}
   */
  closeFds?: boolean | { except: readonly number[] };
  /**
   * Whether signals that the parent ignores have their default actions in the child, and none is blocked. SIGPIPE stays
   * ignored, as it is Deno that ignores it. Signals that the parent catches by other means than Deno's listeners have
   * their defaults in every child.
   *
   * @default {false}
   */
  resetSignals?: boolean;
}
