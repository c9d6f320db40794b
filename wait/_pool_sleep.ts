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
import type { Sleep, Sleeper, Watched } from "./_watched.ts";

const cannotWatch = () => "Cannot watch descriptors";

/**
 * Sleeps in one `poll(2)` on one thread of Deno's pool, however many descriptors there are.
 *
 * The thread reads and writes `#fds` meanwhile, so that is left alone until poll has come back. To have it come back, an eventfd
 * is among what it polls. It holds what is behind the descriptors: closing one would take no effect on the other end.
 */
export class PoolSleep implements Sleep {
  readonly #sleeper: Sleeper;
  readonly #eventfd: number;
  readonly #watched = new Set<Watched>();
  /** Explicitly allocated, and so outside the heap in which V8 moves things. */
  #fds = new ArrayBuffer(16 * POLLFD.size);
  /** What is in `#fds`, after the eventfd. */
  #polled: readonly Watched[] = [];
  #polling: Promise<number> | undefined;
  #woken = false;
  #referenced = true;
  #abandoned = false;

  constructor(sleeper: Sleeper) {
    this.#sleeper = sleeper;
    this.#eventfd = checkValue(
      descriptorSymbols().eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK),
      "eventfd",
      cannotWatch,
    );
  }

  add(watched: Watched): void {
    this.wake();
    this.#watched.add(watched);
    try {
      this.resume();
    } catch (error) {
      this.#watched.delete(watched);
      throw error;
    }
  }

  remove(watched: Watched): void {
    this.#watched.delete(watched);
  }

  resume(): void {
    if (this.#polling !== undefined) return;
    this.#polled = [...this.#watched];
    const size = (this.#polled.length + 1) * POLLFD.size;
    if (this.#fds.byteLength < size) this.#fds = new ArrayBuffer(size * 2);
    this.#put(0, this.#eventfd, POLLIN);
    for (const [index, { fd, events }] of this.#polled.entries()) {
      this.#put(index + 1, fd, events);
    }
    this.#polling = pollOnPool(
      new Uint8Array(this.#fds),
      BigInt(this.#polled.length + 1),
      -1,
    );
    this.#polling.then((result) => this.#back(result));
    if (!this.#referenced) unrefOp(this.#polling);
  }

  wake(): void {
    if (this.#polling === undefined || this.#woken || this.#abandoned) return;
    checkValue(
      descriptorSymbols().write(this.#eventfd, new BigUint64Array([1n]), 8n),
      "write",
      () => "Cannot wake the watcher of descriptors",
    );
    this.#woken = true;
  }

  reference(on: boolean): void {
    if (on === this.#referenced) return;
    this.#referenced = on;
    if (this.#polling === undefined) return;
    if (on) refOp(this.#polling);
    else unrefOp(this.#polling);
  }

  close(): void {
    descriptorSymbols().close(this.#eventfd);
  }

  abandon(): void {
    this.#abandoned = true;
    this.close();
    if (this.#polling !== undefined) unrefOp(this.#polling);
  }

  #back(result: number): void {
    if (this.#abandoned) return;
    this.#polling = undefined;
    let ready: readonly Watched[];
    const woken = this.#woken;
    try {
      ready = this.#ready(result);
    } catch (error) {
      this.#sleeper.fail(error);
      return;
    }
    this.#sleeper.awake({ ready, woken });
  }

  /** What poll has found ready; makes the eventfd ready to be written again. */
  #ready(result: number): readonly Watched[] {
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
        cannotWatch,
      );
    }
    if ((this.#revents(0) & POLLNVAL) !== 0) {
      // Somebody has closed what was not theirs; to poll on would be to spin.
      throw errorFor(ERRNO.EBADF, "poll", cannotWatch);
    }
    if (this.#woken) {
      descriptorSymbols().read(this.#eventfd, new BigUint64Array(1), 8n);
      this.#woken = false;
    }
    return this.#polled.filter((_, index) => this.#revents(index + 1) !== 0);
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
}
