import { POLLIN } from "../ffi/constants.ts";
import { close } from "../ipc/close.ts";
import { pipe } from "../ipc/pipe.ts";
import { poll } from "../ipc/poll.ts";
import { read } from "../ipc/read.ts";
import { writeAll } from "../ipc/write_all.ts";

/** What a daemon tells the process that has started it: a line of JSON each. */
type Message = { pid: number } | { ready: true } | { failure: string };

/** How the start of a daemon has ended, as far as its starter can tell. */
export type Verdict =
  | { readonly kind: "ready" }
  | { readonly kind: "failed"; readonly reason: string }
  /** Without a word. */
  | { readonly kind: "ended" }
  | { readonly kind: "late"; readonly pid: number };

const CHUNK = 65_536;

/** The pipe on which a daemon says that it is up, or why it is not. It ends by itself with the last process that has it. */
export class DaemonVerdict {
  readonly #reader: number;
  /** The daemon's end. */
  readonly writer: number;

  constructor() {
    [this.#reader, this.writer] = pipe();
  }

  /**
   * In the starter: waits for what is said, for a limited time from the moment that there is a daemon: forks have limits of
   * their own. Blocks the thread.
   */
  await(milliseconds: number): Verdict {
    close(this.writer);
    let deadline = Infinity;
    const decoder = new TextDecoder();
    let text = "";
    let pid: number | undefined;
    for (;;) {
      const lines = text.split("\n");
      text = lines.pop()!;
      for (const line of lines) {
        const message: Message = JSON.parse(line);
        if ("pid" in message) {
          pid = message.pid;
          deadline = performance.now() + milliseconds;
        } else if ("ready" in message) return { kind: "ready" };
        else return { kind: "failed", reason: message.failure };
      }
      const left = Math.max(0, Math.ceil(deadline - performance.now()));
      const timeout = left === Infinity ? -1 : Math.min(left, 0x7fff_ffff);
      const events = poll([{ fd: this.#reader, events: POLLIN }], timeout);
      if (events.length === 0) {
        if (pid === undefined || performance.now() < deadline) continue;
        return { kind: "late", pid };
      }
      const bytes = read(this.#reader, CHUNK);
      if (bytes.length === 0) return { kind: "ended" };
      text += decoder.decode(bytes, { stream: true });
    }
  }

  /** In the daemon: keeps only its own end. */
  keepWriter(): void {
    close(this.#reader);
  }

  /** In the daemon: says something. That nobody listens any more is no reason not to go on. */
  tell(message: Message): void {
    try {
      writeAll(this.writer, `${JSON.stringify(message)}\n`);
    } catch {
      // The starter was killed meanwhile.
    }
  }

  /** Closes both ends, where there is no daemon. */
  close(): void {
    close(this.#reader);
    close(this.writer);
  }
}
