import { onForkedChild } from "../ffi/_after_fork.ts";
import { refOp, unrefOp } from "../ffi/_deno_core.ts";
import {
  EFD_CLOEXEC,
  EFD_NONBLOCK,
  POLLIN,
  POLLNVAL,
} from "../ffi/constants.ts";
import { ERRNO } from "../ffi/errno.ts";
import { POLLFD } from "../ffi/layouts.ts";
import { checkValue, errorFor, retryInterrupted } from "../ffi/_results.ts";
import { descriptorSymbols, pollOnPool } from "../ffi/_symbols.ts";

/**
 * What a watched descriptor's owner wants after a look at it: go on watching; look again soon, since the descriptor is
 * ready but what it announces is not there yet; or let go.
 */
export type Verdict = "watch" | "retry" | "done";

/** A descriptor that is watched until its owner says `"done"`. */
export interface Watched {
  /** The descriptor. It must stay open until the watcher lets go: a poll under way still holds what is behind it. */
  readonly fd: number;
  /** What to watch it for, such as `POLLIN`; errors and the end are always among it. */
  readonly events: number;
  /** Whether the watching keeps the process alive; see {@linkcode referencesChanged}. */
  readonly referenced: boolean;
  /** Called whenever the watcher looks: the descriptor is ready or not. Must not throw. */
  look(ready: boolean): Verdict;
  /** Called when watching has become impossible; the watcher lets go. */
  fail(error: unknown): void;
  /** Called when the watcher has let go, in a forked child too: the time to close the descriptor. Must not throw. */
  release(): void;
  /** Called after each look, when whatever was let go is released: the time to tell the world. */
  settle(): void;
}

/**
 * Watches descriptors, however many, with one `poll(2)` on one thread of Deno's pool.
 *
 * The thread reads and writes `#fds` while it sleeps in poll, so that is left alone until poll has come back. To have it
 * come back, an eventfd is among what it watches.
 */
class Watcher {
  readonly #eventfd: number;
  readonly #watched = new Set<Watched>();
  /** Explicitly allocated, and so outside the heap in which V8 moves things. */
  #fds = new ArrayBuffer(16 * POLLFD.size);
  /** What is in `#fds`, after the eventfd. */
  #polled: readonly Watched[] = [];
  #polling: Promise<number> | undefined;
  #woken = false;
  /** Those to be looked at again though poll would only repeat that they are ready. */
  readonly #retried = new Set<Watched>();
  #referenced = true;
  #abandoned = false;

  constructor() {
    this.#eventfd = checkValue(
      descriptorSymbols().eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK),
      "eventfd",
      () => "Cannot watch descriptors",
    );
  }

  add(watched: Watched): void {
    this.wake();
    this.#watched.add(watched);
    if (this.#polling !== undefined) {
      this.updateReference();
      return;
    }
    try {
      this.#poll();
    } catch (error) {
      this.#watched.delete(watched);
      this.#stop();
      throw error;
    }
  }

  /** Has poll come back, so that everything is looked at. */
  wake(): void {
    if (this.#polling === undefined || this.#woken || this.#abandoned) return;
    checkValue(
      descriptorSymbols().write(this.#eventfd, new BigUint64Array([1n]), 8n),
      "write",
      () => "Cannot wake the watcher of descriptors",
    );
    this.#woken = true;
  }

  /** Has the poll keep the process alive if that is what anybody who is watched wants. */
  updateReference(): void {
    const referenced = [...this.#watched].some((watched) => watched.referenced);
    if (this.#polling === undefined || referenced === this.#referenced) return;
    if (referenced) refOp(this.#polling);
    else unrefOp(this.#polling);
    this.#referenced = referenced;
  }

  /** In a forked child: lets go of all, and forgets the poll, whose thread the child does not have. */
  abandon(): void {
    this.#abandoned = true;
    for (const watched of this.#watched) watched.release();
    descriptorSymbols().close(this.#eventfd);
    this.#watched.clear();
    if (this.#polling !== undefined) unrefOp(this.#polling);
  }

  #poll(): void {
    this.#polled = [...this.#watched];
    const size = (this.#polled.length + 1) * POLLFD.size;
    if (this.#fds.byteLength < size) this.#fds = new ArrayBuffer(size * 2);
    this.#put(0, this.#eventfd, POLLIN);
    this.#polled.forEach((watched, index) => {
      // A negative number is passed over by poll.
      const fd = this.#retried.has(watched) ? -1 : watched.fd;
      this.#put(index + 1, fd, watched.events);
    });
    this.#polling = pollOnPool(
      new Uint8Array(this.#fds),
      BigInt(this.#polled.length + 1),
      this.#retried.size > 0 ? RETRY_MS : -1,
    );
    this.#polling.then((result) => this.#back(result));
    this.#referenced = true;
    this.updateReference();
  }

  /** Poll has come back. Order matters: first everything is put in order and closed, then the world is told. */
  #back(result: number): void {
    if (this.#abandoned) return;
    this.#polling = undefined;
    const everyone = [...this.#watched];
    try {
      const ready = this.#ready(result);
      for (const watched of everyone) this.#look(watched, ready);
      if (this.#watched.size > 0) this.#poll();
    } catch (error) {
      for (const watched of this.#watched) {
        watched.fail(error);
        this.#letGo(watched);
      }
    }
    if (this.#watched.size === 0) this.#stop();
    for (const watched of everyone) watched.settle();
  }

  /** What poll has found ready; makes the eventfd ready to be written again. */
  #ready(result: number): ReadonlySet<Watched> {
    if (result === -1) {
      // The errno of the pool's thread is out of reach: ask once more, without waiting, on this one.
      retryInterrupted(
        () =>
          descriptorSymbols().poll(
            new Uint8Array(this.#fds),
            BigInt(this.#polled.length + 1),
            0,
          ),
        "poll",
        () => "Cannot watch descriptors",
      );
    }
    if ((this.#revents(0) & POLLNVAL) !== 0) {
      // Somebody has closed what was not theirs; to poll on would be to spin.
      throw errorFor(ERRNO.EBADF, "poll", () => "Cannot watch descriptors");
    }
    if (this.#woken) {
      descriptorSymbols().read(this.#eventfd, new BigUint64Array(1), 8n);
      this.#woken = false;
    }
    return new Set(
      this.#polled.filter((_, index) => this.#revents(index + 1) !== 0),
    );
  }

  #put(index: number, fd: number, events: number): void {
    const view = new DataView(this.#fds, index * POLLFD.size, POLLFD.size);
    view.setInt32(POLLFD.fields.fd, fd, true);
    view.setInt16(POLLFD.fields.events, events, true);
    view.setInt16(POLLFD.fields.revents, 0, true);
  }

  #revents(index: number): number {
    const view = new DataView(this.#fds, index * POLLFD.size, POLLFD.size);
    return view.getInt16(POLLFD.fields.revents, true);
  }

  #look(watched: Watched, ready: ReadonlySet<Watched>): void {
    const verdict = watched.look(
      ready.has(watched) || this.#retried.has(watched),
    );
    if (verdict === "retry") this.#retried.add(watched);
    else this.#retried.delete(watched);
    if (verdict === "done") this.#letGo(watched);
  }

  #letGo(watched: Watched): void {
    this.#watched.delete(watched);
    this.#retried.delete(watched);
    watched.release();
  }

  #stop(): void {
    descriptorSymbols().close(this.#eventfd);
    watcher = undefined;
  }
}

/** How long poll waits where something is to be looked at again. */
const RETRY_MS = 10;

let watcher: Watcher | undefined;
let registered = false;

/** Watches a descriptor, until its owner says `"done"`; if this throws, it is not watched. */
export function watch(watched: Watched): void {
  if (!registered) {
    onForkedChild(() => {
      watcher?.abandon();
      watcher = undefined;
    });
    registered = true;
  }
  watcher ??= new Watcher();
  watcher.add(watched);
}

/** Has everything that is watched looked at soon: something has changed that no descriptor tells. */
export function lookSoon(): void {
  watcher?.wake();
}

/** Has to be called when somebody who is watched has changed `referenced`. */
export function referencesChanged(): void {
  watcher?.updateReference();
}
