import {
  F_GETFL,
  F_SETFL,
  O_ACCMODE,
  O_NONBLOCK,
  O_PATH,
  O_RDONLY,
  O_RDWR,
  O_WRONLY,
  POLLIN,
  POLLOUT,
} from "../ffi/constants.ts";
import { onForkedChild } from "../ffi/_after_fork.ts";
import { ERRNO } from "../ffi/errors.ts";
import { checkValue, errorFor } from "../ffi/_libc.ts";
import { descriptorSymbols } from "../ffi/_symbols.ts";
import type { Verdict, Watched } from "../wait/_watched.ts";
import { lookSoon, referencesChanged, watch } from "../wait/_watcher.ts";
import { close } from "./descriptors.ts";

/** How many calls in a row may find the descriptor ready before everybody else on the event loop has a turn. */
const CALLS_PER_TURN = 64;

/** What a stream does with its descriptor. */
type Direction = "read" | "write";

/** A call of {@linkcode StreamDescriptor.ready} that has not settled. */
type Waiter = PromiseWithResolvers<void>;

/**
 * The descriptor of a stream: it never blocks, it is waited for by the one shared watcher, and it is closed once.
 *
 * The watcher is asked only when the descriptor is not ready. While it polls, it holds what is behind the descriptor, so
 * that a close in the meantime would take no effect on the other end: closing waits until poll has come back.
 */
export class StreamDescriptor implements Watched {
  readonly fd: number;
  readonly events: number;
  readonly #direction: Direction;
  readonly #autoClose: boolean;
  #referenced = true;
  #ended = false;
  #ending: Promise<void> | undefined;
  #closed = false;
  #watched = false;
  #waiter: Waiter | undefined;
  #failure: { error: unknown } | undefined;
  #calls = 0;
  /** Called when it has been closed. */
  onClosed: (() => void) | undefined;

  /** Takes the descriptor over, and switches it to non-blocking. */
  constructor(fd: number, direction: Direction, autoClose: boolean) {
    this.fd = fd;
    this.#direction = direction;
    this.events = direction === "read" ? POLLIN : POLLOUT;
    this.#autoClose = autoClose;
    const action = () => `Cannot ${direction} descriptor ${fd} as a stream`;
    const { fcntl } = descriptorSymbols();
    const flags = checkValue(fcntl(fd, F_GETFL, 0), "fcntl", action);
    const mode = flags & O_ACCMODE;
    const wanted = direction === "read" ? O_RDONLY : O_WRONLY;
    if ((flags & O_PATH) !== 0 || (mode !== O_RDWR && mode !== wanted)) {
      throw errorFor(ERRNO.EBADF, direction, action);
    }
    checkValue(fcntl(fd, F_SETFL, flags | O_NONBLOCK), "fcntl", action);
  }

  /** Whether the stream is done with it. */
  get ended(): boolean {
    return this.#ended;
  }

  get referenced(): boolean {
    // A poll that is only waited for because it is in the way of closing comes back at once.
    return this.#referenced || this.#ended;
  }

  /** Whether waiting for it keeps the process alive. */
  reference(on: boolean): void {
    this.#referenced = on;
    referencesChanged();
  }

  /** Resolves when it is ready, or ended. */
  async ready(): Promise<void> {
    this.#calls = 0;
    if (this.#ended) return;
    watch(this);
    this.#watched = true;
    this.#waiter = Promise.withResolvers();
    await this.#waiter.promise;
  }

  /** To be awaited before each call: what is always ready must not keep the event loop from everything else. */
  async turn(): Promise<void> {
    if (++this.#calls > CALLS_PER_TURN) await this.ready();
  }

  /** Ends the use of it, and closes it unless it is to stay open; resolves when that is done. Twice without harm. */
  end(): Promise<void> {
    return this.#ending ??= this.#end();
  }

  async #end(): Promise<void> {
    this.#ended = true;
    if (!this.#watched) this.#close();
    else {
      referencesChanged();
      lookSoon();
      await this.#waiter?.promise;
    }
    if (this.#failure !== undefined) throw this.#failure.error;
  }

  /**
   * Has every child that is forked from now on close its copy at once.
   *
   * For an end of a pipe that only this process is to hold: another child that had it too would keep the pipe from ending.
   */
  keepFromChildren(): void {
    if (!registered) onForkedChild(abandonAll);
    registered = true;
    kept.add(this);
  }

  /** In a forked child: closes the child's copy. */
  abandon(): void {
    this.#ended = true;
    this.#failure = {
      error: errorFor(
        ERRNO.EBADF,
        this.#direction,
        () => `Cannot ${this.#direction} a stream that belongs to the parent`,
      ),
    };
    this.#close();
  }

  /** Throws where the stream cannot go on, though nobody has ended it. */
  throwIfFailed(): void {
    if (this.#failure !== undefined) throw this.#failure.error;
  }

  look(ready: boolean): Verdict {
    return ready || this.#ended ? "done" : "watch";
  }

  fail(error: unknown): void {
    this.#failure = { error };
  }

  release(): void {
    this.#watched = false;
    if (this.#ended) this.#close();
  }

  settle(): void {
    if (this.#watched) return;
    const waiter = this.#waiter;
    this.#waiter = undefined;
    if (this.#failure === undefined || this.#ended) waiter?.resolve();
    else waiter?.reject(this.#failure.error);
  }

  #close(): void {
    if (!this.#autoClose || this.#closed) return;
    this.#closed = true;
    kept.delete(this);
    try {
      close(this.fd);
    } catch (error) {
      this.#failure = { error };
    }
    this.onClosed?.();
  }
}

/** Those that forked children are not to have, while they are open. */
const kept = new Set<StreamDescriptor>();
let registered = false;

function abandonAll(): void {
  for (const descriptor of kept) descriptor.abandon();
}
