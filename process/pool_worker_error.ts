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
 */
export class PoolWorkerError extends Error {
  /** The class's name. */
  override readonly name = "PoolWorkerError";
  /** The position of the item among all of the call. */
  readonly index: number;

  /** Makes the error. */
  constructor(how: string, index: number) {
    super(`A worker of the pool ended at item ${index}: ${how}`);
    this.index = index;
  }
}
