import { lastError } from "./_libc.ts";
import { allocationSymbols, memorySymbols, pollOnPool } from "./_symbols.ts";

/**
 * A `poll(2)` on a thread of Deno's pool.
 *
 * Nobody waits for that thread when the program ends, or when its worker is terminated. V8 frees all buffers then, and the thread
 * would write what it has found to memory that is somebody else's. So the request lies where it is freed by its owner alone.
 */
export class PoolPoll {
  #address = 0n;
  #capacity = 0;
  #bytes = 0n;
  #isUnderWay = false;
  #isClosed = false;

  /**
   * Begins one, which ends only when there is something to tell; none may be under way.
   *
   * @param table So many `struct pollfd`, or more; they are copied.
   * @returns What `poll` gives: a pending call, which keeps the process alive as any does.
   */
  start(table: Uint8Array, count: number): Promise<number> {
    if (table.length > this.#capacity) this.#allocate(table.length);
    this.#bytes = BigInt(table.length);
    memorySymbols().store(this.#address, table, this.#bytes);
    const call = pollOnPool(this.#address, BigInt(count), -1);
    this.#isUnderWay = true;
    call.then(() => {
      this.#isUnderWay = false;
      if (this.#isClosed) this.#free();
    });
    return call;
  }

  /** Once it has ended: copies what it has found into the table that it was begun with. */
  takeFound(table: Uint8Array): void {
    memorySymbols().memcpy(table, this.#address, this.#bytes);
  }

  /** Frees what it has, as soon as none is under way; twice without harm. */
  close(): void {
    this.#isClosed = true;
    if (!this.#isUnderWay) this.#free();
  }

  #allocate(bytes: number): void {
    this.#free();
    const address = allocationSymbols().malloc(BigInt(bytes));
    if (address === 0n) {
      throw lastError("malloc", () => "Cannot watch descriptors");
    }
    this.#address = address;
    this.#capacity = bytes;
  }

  #free(): void {
    if (this.#address === 0n) return;
    allocationSymbols().free(this.#address);
    this.#address = 0n;
    this.#capacity = 0;
  }
}
