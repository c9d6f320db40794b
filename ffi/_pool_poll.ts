import { type Action, lastError, retryInterrupted } from "./_libc.ts";
import {
  allocationSymbols,
  descriptorSymbols,
  memorySymbols,
  pollOnPool,
} from "./_symbols.ts";
import { POLLFD } from "./layouts.ts";

/** A descriptor, and what to wait for on it. */
export interface PollRequest {
  readonly fd: number;
  readonly events: number;
}

const cannotWatch: Action = () => "Cannot watch descriptors";

/**
 * A `poll(2)` on a thread of Deno's pool.
 *
 * Nobody waits for that thread when the program ends, or when its worker is terminated. V8 frees all buffers then, and the thread
 * would write what it has found to memory that is somebody else's. So the table lies where it is freed by its owner alone.
 */
export class PoolPoll {
  /** V8's copy of what lies at the address. */
  #table = new DataView(new ArrayBuffer(0));
  #count = 0;
  #address = 0n;
  #isUnderWay = false;
  #isClosed = false;

  /**
   * Begins one, which ends only when there is something to tell; none may be under way.
   *
   * @returns What `poll` gives: a pending call, which keeps the process alive as any does.
   */
  start(requests: readonly PollRequest[]): Promise<number> {
    const { fd, events, revents } = POLLFD.fields;
    const size = requests.length * POLLFD.size;
    if (size > this.#table.byteLength) this.#grow(size * 2);
    for (const [index, request] of requests.entries()) {
      const at = index * POLLFD.size;
      this.#table.setInt32(at + fd, request.fd, true);
      this.#table.setInt16(at + events, request.events, true);
      this.#table.setInt16(at + revents, 0, true);
    }
    this.#count = requests.length;
    memorySymbols().store(this.#address, this.#table, this.#bytes);
    const call = pollOnPool(this.#address, BigInt(this.#count), -1);
    this.#isUnderWay = true;
    call.then(() => {
      this.#isUnderWay = false;
      if (this.#isClosed) this.#free();
    });
    return call;
  }

  /**
   * Once it has ended with that result: what was found of each, in their order.
   *
   * @throws {PosixError} What `poll` fails with.
   */
  found(result: number): number[] {
    if (result === -1) {
      // The errno of the pool's thread is out of reach: ask once more, without waiting, on this one.
      retryInterrupted(
        () => descriptorSymbols().poll(this.#table, BigInt(this.#count), 0),
        "poll",
        cannotWatch,
      );
    } else memorySymbols().memcpy(this.#table, this.#address, this.#bytes);
    return Array.from(
      { length: this.#count },
      (_, index) =>
        this.#table.getInt16(index * POLLFD.size + POLLFD.fields.revents, true),
    );
  }

  /** Frees what it has, as soon as none is under way; twice without harm. */
  close(): void {
    this.#isClosed = true;
    if (!this.#isUnderWay) this.#free();
  }

  get #bytes(): bigint {
    return BigInt(this.#count * POLLFD.size);
  }

  #grow(bytes: number): void {
    this.#free();
    const address = allocationSymbols().malloc(BigInt(bytes));
    if (address === 0n) throw lastError("malloc", cannotWatch);
    this.#address = address;
    this.#table = new DataView(new ArrayBuffer(bytes));
  }

  #free(): void {
    if (this.#address === 0n) return;
    allocationSymbols().free(this.#address);
    this.#address = 0n;
    this.#table = new DataView(new ArrayBuffer(0));
  }
}
