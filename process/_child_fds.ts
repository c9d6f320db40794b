import {
  F_GETFD,
  O_CREAT,
  O_RDONLY,
  O_RDWR,
  O_TRUNC,
  O_WRONLY,
} from "../ffi/constants.ts";
import { checkValue } from "../ffi/_results.ts";
import { descriptorSymbols } from "../ffi/_symbols.ts";
import { close } from "../ipc/close.ts";
import { open } from "../ipc/open.ts";
import { pipe } from "../ipc/pipe.ts";
import { openReadable, openWritable } from "../ipc/_streams.ts";
import type { ChildParts } from "./_child_parts.ts";

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
