import { checkValue } from "../ffi/_libc.ts";
import {
  descriptorSymbols,
  forkSymbols,
  procSymbols,
} from "../ffi/_symbols.ts";
import {
  EPOLL_CTL_DEL,
  F_DUPFD_CLOEXEC,
  F_GETFD,
  F_GETSIG,
  F_SETSIG,
  FD_CLOEXEC,
  O_CLOEXEC,
  O_CREAT,
  O_PATH,
  O_RDONLY,
  O_RDWR,
  O_TRUNC,
  O_WRONLY,
} from "../ffi/constants.ts";
import { close, dup2, dup3, open } from "../ipc/descriptors.ts";
import { pipe } from "../ipc/pipes.ts";
import { openReadable, openWritable } from "../ipc/streams.ts";
import { listProc, readDescriptorLink } from "./_fork/proc_file.ts";
import type { ChildParts } from "./child_process.ts";
import type { StandardStream } from "./fork_options.ts";

/** Signals that serve as marks, one for each standard stream; nobody is ever sent them, as nobody asks for `O_ASYNC`. */
const MARKS = [61, 62, 63];

/**
 * The copies of the standard streams that Deno makes for itself when it starts, by the numbers of the originals.
 *
 * Deno.stdin reads its copy (up to 2.6), and programs that are started with `"inherit"` get those of 1 and 2, so a
 * redirection must reach them as well. Copies are found by a property of the open file description that has no effect
 * otherwise. Deno's are close-on-exec, and older than any that the program has made, so they have the lowest numbers.
 */
export function standardCopies(): ReadonlyMap<number, number> {
  const { fcntl } = descriptorSymbols();
  const originals = hasCopyOfStdin() ? [0, 1, 2] : [1, 2];
  const former = originals.map((fd) => fcntl(fd, F_GETSIG, 0));
  const candidates = listProc("/proc/self/fd").filter((fd) =>
    fd > 2 && (fcntl(fd, F_GETFD, 0) & FD_CLOEXEC) !== 0
  ).sort((a, b) => a - b);
  const copies = new Map<number, number>();
  for (const fd of originals) fcntl(fd, F_SETSIG, MARKS[fd]!);
  for (const original of originals) {
    // Where two are one open file, both have the mark of the later.
    const mark = fcntl(original, F_GETSIG, 0);
    const at = mark === -1
      ? -1
      : candidates.findIndex((fd) => fcntl(fd, F_GETSIG, 0) === mark);
    if (at !== -1) copies.set(original, candidates.splice(at, 1)[0]!);
  }
  originals.forEach((fd, index) => fcntl(fd, F_SETSIG, former[index]!));
  return copies;
}

function hasCopyOfStdin(): boolean {
  return /^2\.[0-6]\./.test(Deno.version.deno);
}

const STDIN = 0;
const STDOUT = 1;

/** Where a descriptor of a child comes from: this process; nothing; a pipe; another descriptor; the child's own standard output; a file. */
export type FdSource =
  | "inherit"
  | "null"
  | "piped"
  | "stdout"
  | number
  | { readonly path: string };

/** A descriptor that a child is to have. */
export interface Redirection {
  /** Its number in the child. */
  readonly target: number;
  /** The descriptor of this process that it is to be. */
  readonly source: number;
}

/**
 * The descriptors of a child: what is opened for them before it starts, and what is done with that in the parent afterwards.
 *
 * Everything is opened before the start, where a failure is an exception and nothing more.
 */
export class ChildFds {
  /** What the child is to be given. */
  readonly redirections: readonly Redirection[];
  /** The parent's ends of pipes, by the number of the stream in the child. */
  readonly parentEnds: ReadonlyMap<number, number>;
  /** What was opened for the child, which the parent has no use for. */
  readonly childEnds: readonly number[];

  /** Opens what is asked for, by the numbers in the child. */
  constructor(wanted: Iterable<readonly [target: number, source: FdSource]>) {
    const opening = new Opening();
    ({
      redirections: this.redirections,
      parentEnds: this.parentEnds,
      childEnds: this.childEnds,
    } = opening);
    try {
      for (const [target, source] of wanted) opening.add(target, source);
    } catch (error) {
      this.close();
      throw error;
    }
  }

  /** In the parent, after the start: closes the child's ends, and makes streams of its own. */
  connect(): Pick<ChildParts, "stdin" | "stdout" | "stderr"> {
    for (const fd of this.childEnds) close(fd);
    const [stdin, stdout, stderr] = [0, 1, 2].map((target) =>
      this.parentEnds.get(target)
    );
    const streams = {
      stdin: stdin === undefined ? undefined : openWritable(stdin),
      stdout: stdout === undefined ? undefined : openReadable(stdout),
      stderr: stderr === undefined ? undefined : openReadable(stderr),
    };
    for (const stream of Object.values(streams)) {
      stream?.descriptor.keepFromChildren();
    }
    return streams;
  }

  /** In the parent, where there is no child: closes all that was opened. */
  close(): void {
    for (const fd of [...this.childEnds, ...this.parentEnds.values()]) {
      close(fd);
    }
  }
}

/** The lists of a {@linkcode ChildFds} while they grow. */
class Opening {
  readonly redirections: Redirection[] = [];
  readonly childEnds: number[] = [];
  readonly parentEnds = new Map<number, number>();
  /** Files by path: two streams into one file share it, and so do not write over each other. */
  readonly #files = new Map<string, number>();

  add(target: number, source: FdSource): void {
    if (source === "inherit") return;
    this.redirections.push({ target, source: this.#open(source, target) });
  }

  #open(source: Exclude<FdSource, "inherit">, target: number): number {
    if (typeof source === "number") {
      checkValue(
        descriptorSymbols().fcntl(source, F_GETFD, 0),
        "fcntl",
        () => `Cannot give descriptor ${source} to a child`,
      );
      return source;
    }
    if (source === "null") return this.#own(open("/dev/null", O_RDWR));
    if (source === "stdout") {
      return this.redirections.find((other) => other.target === STDOUT)
        ?.source ?? STDOUT;
    }
    if (source !== "piped") return this.#file(source.path, target);
    const [reader, writer] = pipe();
    this.parentEnds.set(target, target === STDIN ? writer : reader);
    return this.#own(target === STDIN ? reader : writer);
  }

  #file(path: string, target: number): number {
    const flags = target === STDIN ? O_RDONLY : O_WRONLY | O_CREAT | O_TRUNC;
    const key = `${flags} ${path}`;
    const fd = this.#files.get(key) ?? this.#own(open(path, flags));
    this.#files.set(key, fd);
    return fd;
  }

  #own(fd: number): number {
    this.childEnds.push(fd);
    return fd;
  }
}

const EVENT_POLL = "anon_inode:[eventpoll]";
const EVENTFD = "anon_inode:[eventfd]";
const SQLITE_COMPANION = /-(wal|shm|journal)( \(deleted\))?$/;
const SQLITE_MAGIC = "SQLite format 3\0";

/**
 * The descriptors that a child is to have no part in.
 *
 * They are not closed but replaced by one that can be neither read nor written: any use of them gives `EBADF`, as if they
 * were closed, and their files are let go. Their numbers however stay taken. Objects that the child has inherited with the rest
 * of the memory (an open `Deno.FsFile`, a connection) still know them, and would otherwise read, write or close whatever is
 * opened under the same number next.
 *
 * Left alone is what the runtime lives on: its event polls and eventfds, its copies of the standard streams, SQLite's
 * files (Deno's caches; a database is not to be closed behind the back of its connection), and what the fork itself has
 * made anew in the child.
 */
export class ClosedFds {
  readonly #links = new Map<number, string>();
  readonly #epolls: number[] = [];

  /** Looks for them in the parent. */
  constructor(kept: readonly number[]) {
    const spared = new Set([0, 1, 2, ...kept]);
    for (const fd of listProc("/proc/self/fd")) {
      const link = readDescriptorLink(fd);
      if (link === EVENT_POLL) this.#epolls.push(fd);
      else if (link !== EVENTFD && !spared.has(fd) && !isOfSqlite(fd, link)) {
        this.#links.set(fd, link);
      }
    }
  }

  /** Lets go of them in the child. */
  letGo(): void {
    const nothing = open("/", O_PATH);
    for (const [fd, link] of this.#links) {
      // What is something else by now is the child's own.
      if (fd === nothing || readDescriptorLink(fd) !== link) continue;
      for (const epoll of this.#epolls) {
        // The file lives on in the parent, and an event loop that watched it would go on doing so.
        forkSymbols().epoll_ctl(epoll, EPOLL_CTL_DEL, fd, null);
      }
      dup3(nothing, fd, O_CLOEXEC);
    }
    close(nothing);
  }
}

function isOfSqlite(fd: number, link: string): boolean {
  if (SQLITE_COMPANION.test(link)) return true;
  const start = new Uint8Array(SQLITE_MAGIC.length);
  procSymbols().pread(fd, start, BigInt(start.length), 0n);
  return new TextDecoder().decode(start) === SQLITE_MAGIC;
}

const FIRST_AFTER_STDERR = 3;

/** The standard streams of a forked child, which makes them its own itself. */
export class ChildStdio extends ChildFds {
  /** Deno's own copies of 0, 1 and 2 in this process, by those. */
  readonly copies: ReadonlyMap<number, number>;

  /** Looks for the copies, then opens what is asked for. */
  constructor(streams: readonly StandardStream[], copies = standardCopies()) {
    super(streams.entries());
    this.copies = copies;
  }

  /** In the child: makes them its standard streams, and closes everything else that was opened. */
  redirect(): void {
    for (const fd of this.parentEnds.values()) close(fd);
    const { fcntl } = descriptorSymbols();
    const moved: number[] = [];
    // One that lies where another is to go would be overwritten: 1 and 2 exchanged, for instance.
    const redirections = this.redirections.map(({ source, target }) => {
      if (source >= FIRST_AFTER_STDERR || source === target) {
        return { source, target };
      }
      const copy = checkValue(
        fcntl(source, F_DUPFD_CLOEXEC, FIRST_AFTER_STDERR),
        "fcntl",
        () => `Cannot duplicate descriptor ${source}`,
      );
      moved.push(copy);
      return { source: copy, target };
    });
    for (const { source, target } of redirections) {
      dup2(source, target);
      const copy = this.copies.get(target);
      if (copy !== undefined) dup3(target, copy, O_CLOEXEC);
    }
    for (const fd of [...moved, ...this.childEnds]) close(fd);
  }
}
