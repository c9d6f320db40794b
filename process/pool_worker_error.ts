/**
 * What an item fails with whose worker has ended while it was at it: killed, or by an exit of its own.
 *
 * @example An item that ends its worker
 * ```ts
 * import { Pool, PoolWorkerError } from "@posix/process/process";
 * import { assertEquals, assertRejects } from "@std/assert";
 *
 * await using pool = new Pool((n: number) => n === 2 ? Deno.exit(7) : n, { workers: 1, retries: 0 });
 * const error = await assertRejects(() => pool.map([0, 1, 2, 3]), PoolWorkerError);
 * assertEquals(error.index, 2);
 * ```
 *
 * @see {@link https://docs.python.org/3/library/concurrent.futures.html#concurrent.futures.process.BrokenProcessPool | BrokenProcessPool}
 */
export class PoolWorkerError extends Error {
  /** The class's name. */
  override readonly name = "PoolWorkerError";
  /** The position of the item among all of the call. */
  readonly index: number;

  /**
   * Makes the error.
   *
   * @param how How the worker has ended: by which signal, or with which exit code.
   * @param index The position of the item among all of the call.
   */
  constructor(how: string, index: number) {
    super(`A worker of the pool ended at item ${index}: ${how}`);
    this.index = index;
  }
}
