import type { StreamHandle } from "../ipc/_streams.ts";
import type { Follower } from "../wait/_pending_child.ts";

/** What a `ChildProcess` is made of. Only the library can make it, and so only the library can make those. */
export class ChildParts {
  /** The child's pid. */
  readonly pid: number;
  /** The waiting for its end. */
  readonly follower: Follower;
  /** The parent's end of its standard input, where that is piped. */
  readonly stdin: StreamHandle<WritableStream<Uint8Array>> | undefined;
  /** The parent's end of its standard output, where that is piped. */
  readonly stdout: ReadableHandle | undefined;
  /** The parent's end of its standard error, where that is piped. */
  readonly stderr: ReadableHandle | undefined;

  constructor(
    pid: number,
    follower: Follower,
    stdio: Pick<ChildParts, "stdin" | "stdout" | "stderr">,
  ) {
    this.pid = pid;
    this.follower = follower;
    this.stdin = stdio.stdin;
    this.stdout = stdio.stdout;
    this.stderr = stdio.stderr;
  }

  /** Those of its standard output and error that are piped. */
  get outputs(): ReadableHandle[] {
    return [this.stdout, this.stderr].filter((stream) => stream !== undefined);
  }

  /** The streams that there are. */
  get streams(): StreamHandle<unknown>[] {
    return [this.stdin, this.stdout, this.stderr].filter((stream) =>
      stream !== undefined
    );
  }
}

type ReadableHandle = StreamHandle<ReadableStream<Uint8Array<ArrayBuffer>>>;
