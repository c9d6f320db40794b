import { PosixError } from "../ffi/posix_error.ts";
import { close } from "../ipc/close.ts";
import { pipe } from "../ipc/pipe.ts";
import { writeAll } from "../ipc/write_all.ts";
import { openReadable } from "../ipc/_streams.ts";

/** What a child tells of a call that has failed. */
interface Failure {
  readonly action: string;
  readonly errno: number;
  readonly syscall: string;
}

/**
 * The pipe through which a child tells its parent that it could not become what was asked for.
 *
 * One that has nothing to tell closes it, and so does one that dies: either way the parent reads the end.
 */
export class StartReport {
  readonly #reader: number;
  readonly #writer: number;

  constructor() {
    [this.#reader, this.#writer] = pipe();
  }

  /** In the child: everything has gone well. */
  succeed(): void {
    close(this.#reader);
    close(this.#writer);
  }

  /** In the child: tells what has failed. */
  fail(error: unknown): void {
    const { message, errno, syscall } = error as PosixError;
    const [action] = message.split(`: ${syscall} failed with `);
    writeAll(this.#writer, JSON.stringify({ action, errno, syscall }));
  }

  /** In the parent, after the fork: the error, or `undefined` once all has gone well. Closes the pipe. */
  async read(): Promise<PosixError | undefined> {
    close(this.#writer);
    const { stream, descriptor } = openReadable(this.#reader);
    descriptor.keepFromChildren();
    let text = "";
    for await (const part of stream.pipeThrough(new TextDecoderStream())) {
      text += part;
    }
    if (text === "") return undefined;
    const { action, errno, syscall }: Failure = JSON.parse(text);
    return new PosixError(action, { errno, syscall });
  }

  /** In the parent, where there is no child: closes the pipe. */
  close(): void {
    close(this.#reader);
    close(this.#writer);
  }
}
