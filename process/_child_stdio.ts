import {
  F_DUPFD_CLOEXEC,
  F_GETFD,
  O_CLOEXEC,
  O_RDWR,
} from "../ffi/constants.ts";
import { checkValue } from "../ffi/_results.ts";
import { descriptorSymbols } from "../ffi/_symbols.ts";
import { close } from "../ipc/close.ts";
import { dup2 } from "../ipc/dup2.ts";
import { dup3 } from "../ipc/dup3.ts";
import { open } from "../ipc/open.ts";
import { pipe } from "../ipc/pipe.ts";
import { openReadable, openWritable } from "../ipc/_streams.ts";
import type { ChildParts } from "./_child_parts.ts";
import type { StandardStream } from "./fork_options.ts";
import { standardCopies } from "./_standard_copies.ts";

const STDIN = 0;
const FIRST_AFTER_STDERR = 3;

/** Where one of the child's standard streams comes from. */
interface Redirection {
  /** Its number in the child: 0, 1 or 2. */
  readonly target: number;
  /** The descriptor that it is to be. */
  source: number;
}

/**
 * The standard streams of a child: what is opened for them before the fork, and what either side does after it.
 *
 * Everything is opened before the fork, where a failure is an exception and nothing more.
 */
export class ChildStdio {
  readonly #redirections: Redirection[] = [];
  /** What was opened for the child, which the parent has no use for. */
  readonly #childEnds: number[] = [];
  /** The parent's ends of pipes, by the number of the stream in the child. */
  readonly #parentEnds = new Map<number, number>();
  /** Deno's own copies of 0, 1 and 2 in this process, by those. */
  readonly copies: ReadonlyMap<number, number> = standardCopies();

  /** Opens what is asked for. */
  constructor(streams: readonly StandardStream[]) {
    try {
      streams.forEach((stream, target) => {
        if (stream === "inherit") return;
        this.#redirections.push({ target, source: this.#open(stream, target) });
      });
    } catch (error) {
      this.close();
      throw error;
    }
  }

  /** In the child: makes them its standard streams, and closes everything else that was opened. */
  redirect(): void {
    for (const fd of this.#parentEnds.values()) close(fd);
    const { fcntl } = descriptorSymbols();
    const moved: number[] = [];
    // One that lies where another is to go would be overwritten: 1 and 2 exchanged, for instance.
    for (const redirection of this.#redirections) {
      const { source, target } = redirection;
      if (source >= FIRST_AFTER_STDERR || source === target) continue;
      redirection.source = checkValue(
        fcntl(source, F_DUPFD_CLOEXEC, FIRST_AFTER_STDERR),
        "fcntl",
        () => `Cannot duplicate descriptor ${source}`,
      );
      moved.push(redirection.source);
    }
    for (const { source, target } of this.#redirections) {
      dup2(source, target);
      const copy = this.copies.get(target);
      if (copy !== undefined) dup3(target, copy, O_CLOEXEC);
    }
    for (const fd of [...moved, ...this.#childEnds]) close(fd);
  }

  /** In the parent, after the fork: closes the child's ends, and makes streams of its own. */
  connect(): Pick<ChildParts, "stdin" | "stdout" | "stderr"> {
    for (const fd of this.#childEnds) close(fd);
    const [stdin, stdout, stderr] = [0, 1, 2].map((target) =>
      this.#parentEnds.get(target)
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
    for (const fd of [...this.#childEnds, ...this.#parentEnds.values()]) {
      close(fd);
    }
  }

  #open(stream: Exclude<StandardStream, "inherit">, target: number): number {
    if (typeof stream === "number") {
      checkValue(
        descriptorSymbols().fcntl(stream, F_GETFD, 0),
        "fcntl",
        () => `Cannot give descriptor ${stream} to a child`,
      );
      return stream;
    }
    if (stream === "null") return this.#own(open("/dev/null", O_RDWR));
    const [reader, writer] = pipe();
    this.#parentEnds.set(target, target === STDIN ? writer : reader);
    return this.#own(target === STDIN ? reader : writer);
  }

  #own(fd: number): number {
    this.#childEnds.push(fd);
    return fd;
  }
}
