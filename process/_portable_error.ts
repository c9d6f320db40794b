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

/** What was thrown, in a form that can be cloned: cloning alone would lose the name of a class of the program's own. */
export interface PortableError {
  readonly thrown: unknown;
  readonly name: string | undefined;
  readonly properties: Readonly<Record<string, unknown>>;
}

/** Makes what was thrown fit for sending, whatever it is. */
export function portable(thrown: unknown): PortableError {
  if (!(thrown instanceof Error)) {
    return {
      thrown: isCloneable(thrown) ? thrown : Deno.inspect(thrown),
      name: undefined,
      properties: {},
    };
  }
  const copy = new Error(thrown.message);
  if (thrown.stack !== undefined) copy.stack = thrown.stack;
  if (isCloneable(thrown.cause)) copy.cause = thrown.cause;
  const properties = Object.entries(thrown)
    .filter(([, value]) => isCloneable(value));
  return {
    thrown: copy,
    name: thrown.name,
    properties: Object.fromEntries(properties),
  };
}

const CLASSES = [TypeError, RangeError, SyntaxError, ReferenceError, URIError];

/** What was thrown in the worker, with the stack that it had there, and its class where that is JavaScript's own. */
export function revive({ thrown, name, properties }: PortableError): unknown {
  if (!(thrown instanceof Error)) return thrown;
  const builtIn = CLASSES.find((builtIn) => builtIn.name === name);
  if (builtIn !== undefined) Object.setPrototypeOf(thrown, builtIn.prototype);
  else if (name !== "Error") define(thrown, "name", name);
  for (const [key, value] of Object.entries(properties)) {
    define(thrown, key, value);
  }
  return thrown;
}

/** Whether a value can be sent. */
export function isCloneable(value: unknown): boolean {
  try {
    structuredClone(value);
    return true;
  } catch {
    return false;
  }
}

function define(target: object, key: string, value: unknown): void {
  Object.defineProperty(target, key, {
    value,
    writable: true,
    configurable: true,
  });
}
