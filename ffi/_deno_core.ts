import { ERRNO, PosixError } from "./errors.ts";

/** What the library needs of Deno's inside: nothing public says which pending calls keep a process alive, or who runs it. */
interface DenoCore {
  readonly promiseIdSymbol: symbol;
  hasPromise(id: number): boolean;
  /** What the runtime offers its own JavaScript, by name. */
  readonly ops: Readonly<Record<string, unknown>>;
  refOpPromise(promise: Promise<unknown>): void;
  isProxy(value: object): boolean;
  serialize(
    value: unknown,
    options: { forStorage: true },
    onError: (message: string) => never,
  ): Uint8Array<ArrayBuffer>;
  deserialize(
    bytes: Uint8Array,
    options: { forStorage: true },
  ): unknown;
  unrefOpPromise(promise: Promise<unknown>): void;
}

let core: DenoCore | undefined;

/** Has a pending nonblocking call keep neither this process nor a forked child alive. */
export function unrefOp(promise: Promise<unknown>): void {
  core ??= findCore();
  core.unrefOpPromise(promise);
}

/** Has it keep the process alive after all. */
export function refOp(promise: Promise<unknown>): void {
  core ??= findCore();
  core.refOpPromise(promise);
}

/** Whether `deno test` or `deno bench` runs this program: it catches exits and errors that would end any other. */
export function hasTestRunner(): boolean {
  core ??= findCore();
  return "op_register_test" in core.ops || "op_register_bench" in core.ops;
}

/** Whether an object is a `Proxy`, which cannot be cloned. */
export function isProxy(value: object): boolean {
  core ??= findCore();
  return core.isProxy(value);
}

/**
 * Writes a value in V8's own format, as `structuredClone` does, and `node:v8` at fifteen times the cost.
 *
 * @throws {DOMException} `DataCloneError` if it cannot be cloned, or not into another process.
 */
export function serialize(value: unknown): Uint8Array<ArrayBuffer> {
  core ??= findCore();
  const refuse = (message: string): never => {
    throw new DOMException(message, "DataCloneError");
  };
  try {
    return core.serialize(value, { forStorage: true }, refuse);
  } catch (error) {
    // Of shared buffers alone, which have no business in storage, V8 complains by itself.
    const message = error instanceof Error ? error.message : "";
    if (message === "#<SharedArrayBuffer> could not be cloned.") {
      refuse(message);
    }
    throw error;
  }
}

/** Makes the value again. */
export function deserialize(bytes: Uint8Array): unknown {
  core ??= findCore();
  return core.deserialize(bytes, { forStorage: true });
}

/** What comes after this is a task of its own; quicker than `queueMicrotask`, which is the runtime's and not V8's. */
export const AT_ONCE: Promise<void> = Promise.resolve();

/**
 * The calls that are pending. Deno numbers them, those alone that are not over at once, and says of a number whether it is pending;
 * so that not all numbers since the start are asked for at each fork, those are remembered that have been.
 */
export class PendingOps {
  #pending: number[] = [];
  #last = -1;
  #abandoned: number[] = [];
  readonly #abandonAll = (): void => abandon(this.#abandoned.splice(0));

  /** Finds those up to and including a call. */
  survey(promise: Promise<unknown>): void {
    core ??= findCore();
    const { hasPromise } = core;
    const last = this.#idOf(promise);
    const pending = this.#pending.filter((id) => hasPromise(id));
    for (let id = this.#last + 1; id <= last; id++) {
      if (hasPromise(id)) pending.push(id);
    }
    this.#pending = pending;
    this.#last = Math.max(this.#last, last);
  }

  /** Before a fork, and in the turn of the event loop of the latest survey: finds all that there are, since later ones are pending. */
  note(): void {
    const { hasPromise } = core ??= findCore();
    while (hasPromise(this.#last + 1)) this.#pending.push(++this.#last);
  }

  /** In the child: has those keep the process alive no more. Not at once, but before the event loop asks what does. */
  abandonSoon(): void {
    // Nothing new is made here: to note a young object in an old one costs a child as much as all else.
    if (this.#abandoned.length === 0) {
      const none = this.#abandoned;
      this.#abandoned = this.#pending;
      this.#pending = none;
    } else this.#abandoned.push(...this.#pending.splice(0));
    AT_ONCE.then(this.#abandonAll);
  }

  #idOf(promise: Promise<unknown>): number {
    const { promiseIdSymbol } = core!;
    return (promise as unknown as Record<symbol, number>)[promiseIdSymbol] ??
      -1;
  }
}

function abandon(calls: readonly number[]): void {
  const { hasPromise, promiseIdSymbol, unrefOpPromise } = core ??= findCore();
  for (const id of calls) {
    // Of one that is over it would be believed to keep nothing alive in another's stead.
    if (!hasPromise(id)) continue;
    unrefOpPromise({ [promiseIdSymbol]: id } as unknown as Promise<unknown>);
  }
}

/** Those of this thread's runtime. */
export const pendingOps: PendingOps = new PendingOps();

function findCore(): DenoCore {
  const deno = Deno as unknown as Record<symbol, { core?: DenoCore }>;
  const { internal } = Deno as unknown as { internal: symbol };
  const found = deno[internal]?.core;
  if (typeof found?.unrefOpPromise === "function") return found;
  throw new PosixError("Cannot say which calls keep the process alive", {
    errno: ERRNO.ENOTSUP,
    syscall: "unref",
    detail: "this Deno has no 'unrefOpPromise'",
  });
}

/** A stream of libuv's as Deno has it: it reads a descriptor on the event loop, and owns it. */
export interface PipeHandle {
  /** Takes the descriptor; gives 0, or a negative error number. */
  open(fd: number): number;
  /** Has it read into an array, instead of into a new one of 64 KiB each time; since Deno 2.8. */
  useUserBuffer?(buffer: Uint8Array): void;
  /** Begins to read. */
  readStart(): number;
  /** Called with what was read. */
  onread: () => void;
  /** Has it keep the process alive. */
  ref(): void;
  /** Has it not. */
  unref(): void;
  /** Closes the descriptor. */
  close(): void;
}

/** A timer that Deno runs. */
export type Timer = ReturnType<typeof setTimeout>;

/** Stops a timer, where there is one. To look at `clearTimeout` for the first time takes some 4 ms: it loads Node's timers. */
export function stopTimer(timer: Timer | undefined): void {
  if (timer !== undefined) clearTimeout(timer);
}

let Pipe: (new (type: number) => PipeHandle) | null | undefined;

/** Makes such a handle; `undefined` where this Deno has none of that kind. The first one takes some 8 ms: it loads Node's `process`. */
export function newPipeHandle(): PipeHandle | undefined {
  if (Pipe === undefined) Pipe = findPipe() ?? null;
  return Pipe === null ? undefined : new Pipe(SOCKET);
}

function findPipe(): (new (type: number) => PipeHandle) | undefined {
  const { process } = globalThis as unknown as {
    process?: {
      binding?(name: string): { Pipe?: new (type: number) => PipeHandle };
    };
  };
  const found = process?.binding?.("pipe_wrap").Pipe;
  const methods = ["open", "readStart", "ref", "unref", "close"] as const;
  return methods.every((name) => typeof found?.prototype[name] === "function")
    ? found
    : undefined;
}

/** What kind of pipe: one end of one. */
const SOCKET = 0;

/**
 * Descriptors that the library has opened for its own ends, and that are no concern of the runtime's event loop. Whoever forks
 * leaves them out when looking for what Deno has open.
 */
const own = new Set<number>();

/** Says that a descriptor is such a one, as long as it is open. */
export function markOwnDescriptor(fd: number): void {
  own.add(fd);
}

/** Says that it is closed. */
export function unmarkOwnDescriptor(fd: number): void {
  own.delete(fd);
}

/** Whether it is such a one. */
export function isOwnDescriptor(fd: number): boolean {
  return own.has(fd);
}
