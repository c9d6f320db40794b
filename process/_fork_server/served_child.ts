import { POLLIN } from "../../ffi/constants.ts";
import { descriptorSymbols } from "../../ffi/_symbols.ts";
import type { Follower } from "../../wait/_pending_child.ts";
import { signalChild } from "../../wait/_pidfd.ts";
import type { WaitUsageResult } from "../../wait/types.ts";
import type { Verdict, Watched } from "../../wait/_watched.ts";
import { lookSoon, referencesChanged, watch } from "../../wait/_watcher.ts";

/** A child of the fork server, followed from the process that has asked for it: it is the server that can wait for it. */
export class ServedChild implements Follower, Watched {
  /** Its pid. */
  readonly pid: number;
  readonly fd: number;
  readonly events = POLLIN;
  readonly mayLinger = true;
  readonly result: Promise<WaitUsageResult>;
  /** Resolved when its pidfd is closed. */
  readonly released: Promise<void>;
  /** Settles the result. */
  resolve!: (result: WaitUsageResult) => void;
  /** Settles the result: nobody will say how it has ended. */
  reject!: (reason: unknown) => void;
  readonly #ended: () => void;
  #referenced = true;
  #open: boolean;
  #abandoned = false;
  #release!: () => void;

  /** Follows it by its pidfd, and says when it has ended. Without one, it has. */
  constructor(pid: number, pidfd: number | undefined, ended: () => void) {
    this.pid = pid;
    this.fd = pidfd ?? -1;
    this.#open = pidfd !== undefined;
    this.#ended = ended;
    this.result = new Promise((resolve, reject) => {
      this.resolve = resolve;
      this.reject = reject;
    });
    this.result.catch(() => {});
    this.released = new Promise((resolve) => this.#release = resolve);
    if (this.#open) watch(this);
    else this.settle();
  }

  get pidfd(): number | undefined {
    return this.#open ? this.fd : undefined;
  }

  get referenced(): boolean {
    return this.#referenced;
  }

  /** Lets go of it: the server, which would tell of its end, is gone. */
  abandon(reason: unknown): void {
    this.reject(reason);
    this.#abandoned = true;
    lookSoon();
  }

  kill(signal: number): boolean {
    return this.#open && signalChild(this.fd, this.pid, signal);
  }

  reference(on: boolean): void {
    this.#referenced = on;
    referencesChanged();
  }

  look(ready: boolean): Verdict {
    return ready || this.#abandoned ? "done" : "watch";
  }

  fail(error: unknown): void {
    this.reject(error);
  }

  release(): void {
    this.#open = false;
    descriptorSymbols().close(this.fd);
  }

  settle(): void {
    if (this.#open) return;
    this.#release();
    this.#ended();
  }
}
