import {
  checkDescriptor,
  checkInteger,
  checkMode,
  cString,
  wrongType,
} from "../ffi/_arguments.ts";
import { ERRNO } from "../ffi/errors.ts";
import { checkZero, errorFor } from "../ffi/_libc.ts";
import { descriptorSymbols } from "../ffi/_symbols.ts";
import { sharedMemoryPath } from "./memfd.ts";
import { Core, getItem, keepCore, putItem } from "./_queue/core.ts";
import { deadlineOf } from "./_queue/side.ts";
import { isRingBytes, type Plan, Segment } from "./_queue/segment.ts";
import { QueueClosed } from "./queue_errors.ts";

/** Options for a new {@linkcode Queue}. */
export interface QueueOptions {
  /**
   * The memory for items in bytes: a power of two from 4096 to 2³⁰. What does not fit waits, whatever `maxsize` allows.
   *
   * @default {1048576}
   */
  bytes?: number;
}

/** Options for {@linkcode Queue.open}. */
export interface QueueOpenOptions extends QueueOptions {
  /**
   * Whether to make the queue if there is none of that name.
   *
   * @default {false}
   */
  create?: boolean;
  /**
   * With `create`: whether it is an error if there is one.
   *
   * @default {false}
   */
  exclusive?: boolean;
  /**
   * The most items that a queue made here holds; 0 for any number.
   *
   * @default {0}
   */
  maxsize?: number;
  /**
   * Who may use a queue made here, as a file mode less the umask.
   *
   * @default {0o600}
   */
  mode?: number;
}

/** How long the calls of a {@linkcode Queue} wait that block. */
export interface QueueWaitOptions {
  /**
   * The longest to wait, in milliseconds; 0 not to wait.
   *
   * @default {Infinity}
   */
  timeout?: number;
}

/** How long the calls of a {@linkcode Queue} wait that do not block. */
export interface QueueAsyncOptions extends QueueWaitOptions {
  /** Ends the waiting: the promise is rejected with its reason, nothing is put, and nothing got. */
  signal?: AbortSignal;
}

/** How a {@linkcode Queue} gives an item. */
export interface QueueGetOptions extends QueueWaitOptions {
  /**
   * Where the bytes go of an item that is an `Uint8Array`, if they fit: what is given then is this very array, or the part of it
   * that they fill. To make a new array takes several times as long as all the rest.
   */
  into?: Uint8Array;
}

/** The same for the calls that do not block. */
export interface QueueGetAsyncOptions
  extends QueueAsyncOptions, QueueGetOptions {}

/** What the next queue is made of instead of new memory. */
let opened: Segment | undefined;

/**
 * A queue between processes: what one puts, one of the others gets, in order.
 *
 * Any number of processes may put and get. The items of one producer arrive in the order in which they were put, each exactly
 * once. They are copies, as `structuredClone` makes them; only, an `Uint8Array` that is an item itself arrives without the rest of its buffer.
 * Bytes, strings, numbers and plain objects of JSON's values are the fastest.
 *
 * A process that is killed at any point, in the middle of a put or a get included, is no danger to the others: its unfinished
 * item is not there, or is still there. One that is *stopped* may keep the others waiting until it goes on.
 *
 * Processes forked afterwards have the queue too. Others are given it by name ({@linkcode Queue.open}), or by its
 * descriptor ({@linkcode Queue.prototype.fd | Queue.fd}, {@linkcode Queue.from}). Three different things come to an
 * end: {@linkcode Queue.prototype.close | Queue.close} closes the queue for all;
 * {@linkcode Queue.prototype.release | Queue.release}, or `using`, lets go of this process's handle alone;
 * {@linkcode Queue.unlink} removes a name. The memory is there until the last process has let go.
 *
 * Memory is `bytes` ({@linkcode QueueOptions}) of ring, taken at once. Larger items, from a quarter of that, have a place of
 * their own, of up to sixteen times as much, or as one item needs.
 *
 * It needs `--allow-ffi` without a path, as memory is mapped.
 *
 * @typeParam T What the items are.
 *
 * @example Asking a child
 * ```ts
 * import { Queue } from "@posix/process/ipc";
 * import { _exit, fork } from "@posix/process/process";
 * import { waitpid } from "@posix/process/wait";
 * import { assertEquals } from "@std/assert";
 *
 * using questions = new Queue<number[]>();
 * using answers = new Queue<{ sum: number }>();
 * const child = fork();
 * if (child === 0) {
 *   const numbers = questions.get();
 *   answers.put({ sum: numbers.reduce((a, b) => a + b) });
 *   _exit(0);
 * }
 * questions.put([1, 2, 3]);
 * assertEquals(answers.get(), { sum: 6 });
 * waitpid(child);
 * ```
 *
 * @see {@link https://man7.org/linux/man-pages/man7/shm_overview.7.html | shm_overview(7)}
 * @see {@link https://man7.org/linux/man-pages/man2/futex.2.html | futex(2)}
 */
export class Queue<T> implements AsyncIterable<T>, Disposable {
  readonly #core: Core;

  /**
   * Makes a queue.
   *
   * @param maxsize The most items that it holds, so that further ones wait; 0 for any number that its memory holds.
   * @param options How much memory it has.
   * @throws {RangeError} If `maxsize` is negative or no integer, or `bytes` no power of two in range.
   * @throws {PosixError} `ENOSPC` or `ENOMEM` if there is not so much memory; `EMFILE` if too many files are open.
   */
  constructor(maxsize: number = 0, options: QueueOptions = {}) {
    const segment = opened ?? Segment.anonymous(checkPlan(maxsize, options));
    opened = undefined;
    this.#core = keepCore(this, new Core(segment));
  }

  /**
   * Opens, or makes, the queue of a name, which any process of the system can.
   *
   * Names are those of `shm_open`: files in /dev/shm. The name stays until somebody removes it with {@linkcode Queue.unlink},
   * and the items in the queue with it. A queue that is made is complete before another process can open it.
   *
   * @param name The name, without slashes.
   * @param options Whether to make it, and how. What is said about `maxsize` and `bytes` is without effect on one that is there.
   * @returns The queue.
   * @throws {PosixError} `ENOENT` if there is none and none is to be made; `EEXIST` if there is one and none should be;
   * `EINVAL` if it is something else than a queue; `EACCES` if it is somebody else's; `ENOSPC` if /dev/shm is full.
   * @throws {TypeError} If the name is empty, or has a slash.
   *
   * @example Talking by name
   * ```ts
   * import { Queue } from "@posix/process/ipc";
   * import { assertEquals } from "@std/assert";
   *
   * using here = Queue.open<string>("doc-example", { create: true });
   * using there = Queue.open<string>("doc-example");
   * here.put("hello");
   * assertEquals(there.get(), "hello");
   * Queue.unlink("doc-example");
   * ```
   */
  static open<T>(name: string, options: QueueOpenOptions = {}): Queue<T> {
    opened = openNamed(name, options);
    return new this<T>();
  }

  /**
   * Makes a handle of the descriptor of a queue, which another process has handed over: inherited, or received over a socket.
   *
   * The handle owns the descriptor from then on. To have both, give it a duplicate (`dup`).
   *
   * @param fd The descriptor.
   * @returns The queue.
   * @throws {PosixError} `EBADF` if it is not open; `EINVAL` if it is something else than a queue. It is left open then.
   *
   * @example A second handle
   * ```ts
   * import { dup, Queue } from "@posix/process/ipc";
   * import { assertEquals } from "@std/assert";
   *
   * using here = new Queue<string>();
   * using there = Queue.from<string>(dup(here.fd));
   * here.put("hello");
   * assertEquals(there.get(), "hello");
   * ```
   */
  static from<T>(fd: number): Queue<T> {
    opened = Segment.from(checkDescriptor(fd));
    return new this<T>();
  }

  /**
   * `shm_unlink(name)`: removes a name. Those who have the queue open keep it, and nobody else can open it any more.
   *
   * @param name The name.
   * @throws {PosixError} `ENOENT` if there is no such name.
   *
   * @example Removing a name at once
   * ```ts
   * import { Queue } from "@posix/process/ipc";
   * import { assertThrows } from "@std/assert";
   *
   * using queue = Queue.open("doc-example-unlink", { create: true });
   * Queue.unlink("doc-example-unlink");
   * assertThrows(() => Queue.open("doc-example-unlink"));
   * queue.put("still here");
   * ```
   */
  static unlink(name: string): void {
    const path = sharedMemoryPath(name);
    checkZero(
      descriptorSymbols().unlink(cString(path, "name")),
      "shm_unlink",
      () => `Cannot remove queue "${name}"`,
      path,
    );
  }

  /** The descriptor of the queue's memory, to hand to another process; it is close-on-exec, and the handle's to close. */
  get fd(): number {
    return this.#core.fd;
  }

  /** The most items that the queue holds; 0 if only its memory limits it. */
  get maxsize(): number {
    return this.#core.maxsize;
  }

  /** Whether the queue was closed, by whichever process. */
  get closed(): boolean {
    return this.#core.closed;
  }

  /**
   * Puts an item, and blocks the thread, event loop included, as long as there is no room.
   *
   * @param item What to put: whatever `structuredClone` can copy into another process.
   * @param options How long to wait.
   * @throws {QueueFull} If there was no room in time.
   * @throws {QueueClosed} If the queue is closed.
   * @throws {DOMException} `DataCloneError` if the item cannot be cloned; nothing is put then.
   * @throws {RangeError} If the timeout is negative or not a number; if the item has more than 2 GiB.
   * @throws {PosixError} `ENOSPC` if there is no memory for a large item.
   *
   * @example A queue of one
   * ```ts
   * import { Queue, QueueFull } from "@posix/process/ipc";
   * import { assertEquals, assertThrows } from "@std/assert";
   *
   * using queue = new Queue<Map<string, number>>(1);
   * queue.put(new Map([["one", 1]]));
   * assertThrows(() => queue.put(new Map(), { timeout: 10 }), QueueFull);
   * assertEquals(queue.get(), new Map([["one", 1]]));
   * ```
   */
  put(item: T, options?: QueueWaitOptions): void {
    this.#core.putting.put(item, deadlineOf(options));
  }

  /**
   * Gets the next item, and blocks the thread, event loop included, as long as there is none.
   *
   * @param options How long to wait, and where bytes go.
   * @returns The item.
   * @throws {QueueEmpty} If there was none in time.
   * @throws {QueueClosed} If the queue is closed, and empty.
   * @throws {RangeError} If the timeout is negative or not a number.
   * @throws {TypeError} If `into` is no `Uint8Array`.
   *
   * @example Waiting for at most a moment
   * ```ts
   * import { Queue, QueueEmpty } from "@posix/process/ipc";
   * import { assertEquals, assertThrows } from "@std/assert";
   *
   * using queue = new Queue<string>();
   * assertThrows(() => queue.get({ timeout: 10 }), QueueEmpty);
   * queue.put("here");
   * assertEquals(queue.get({ timeout: 10 }), "here");
   * ```
   *
   * @example Bytes without a new array for each item
   * ```ts
   * import { Queue } from "@posix/process/ipc";
   * import { assertEquals } from "@std/assert";
   *
   * using queue = new Queue<Uint8Array>();
   * const options = { into: new Uint8Array(64) };
   * queue.putMany([Uint8Array.of(1, 2), Uint8Array.of(3)]);
   * assertEquals(queue.get(options), Uint8Array.of(1, 2));
   * assertEquals(queue.get(options), Uint8Array.of(3));
   * assertEquals(options.into.subarray(0, 2), Uint8Array.of(3, 2));
   * ```
   */
  get(options?: QueueGetOptions): T {
    return this.#core.getting.get(deadlineOf(options), intoOf(options)) as T;
  }

  /**
   * Puts an item if there is room.
   *
   * @param item What to put.
   * @throws {QueueFull} If there is no room.
   * @throws {QueueClosed} If the queue is closed.
   * @throws {DOMException} `DataCloneError` if the item cannot be cloned.
   *
   * @example No room
   * ```ts
   * import { Queue, QueueFull } from "@posix/process/ipc";
   * import { assertThrows } from "@std/assert";
   *
   * using queue = new Queue<number>(1);
   * queue.putNowait(1);
   * assertThrows(() => queue.putNowait(2), QueueFull);
   * ```
   */
  putNowait(item: T): void {
    this.#core.putting.put(item, 0);
  }

  /**
   * Gets the next item if there is one.
   *
   * @returns The item.
   * @throws {QueueEmpty} If there is none.
   * @throws {QueueClosed} If the queue is closed, and empty.
   *
   * @example No item
   * ```ts
   * import { Queue, QueueEmpty } from "@posix/process/ipc";
   * import { assertThrows } from "@std/assert";
   *
   * using queue = new Queue<number>();
   * assertThrows(() => queue.getNowait(), QueueEmpty);
   * ```
   */
  getNowait(): T {
    return this.#core.getting.get(0) as T;
  }

  /**
   * Puts several items, which costs less than to put them one by one. They stay together unless they have to wait for room.
   *
   * @param items What to put. All are copied before the first is put.
   * @param options How long to wait.
   * @returns How many were put: fewer than all if the time was over, those at the end being left out.
   * @throws {QueueClosed} If the queue is closed, or was before all were put.
   * @throws {DOMException} `DataCloneError` if one of them cannot be cloned; nothing is put then.
   * @throws {RangeError} If the timeout is negative or not a number.
   *
   * @example Many small messages
   * ```ts
   * import { Queue } from "@posix/process/ipc";
   * import { assertEquals } from "@std/assert";
   *
   * using queue = new Queue<number>();
   * assertEquals(queue.putMany([1, 2, 3, 4]), 4);
   * assertEquals(queue.getMany(3), [1, 2, 3]);
   * assertEquals(queue.getMany(3), [4]);
   * ```
   */
  putMany(items: Iterable<T>, options?: QueueWaitOptions): number {
    return this.#core.putting.putMany(items, deadlineOf(options));
  }

  /**
   * Gets the items that are there, up to a number, and blocks the thread as long as there is none.
   *
   * @param count The most items to get; what is more than 64 KiB may be left for the next time.
   * @param options How long to wait for the first one.
   * @returns The items, at least one.
   * @throws {QueueEmpty} If there was none in time.
   * @throws {QueueClosed} If the queue is closed, and empty.
   * @throws {RangeError} If the count is not positive; if the timeout is negative or not a number.
   *
   * @example Taking what is there
   * ```ts
   * import { Queue } from "@posix/process/ipc";
   * import { assertEquals } from "@std/assert";
   *
   * using queue = new Queue<string>();
   * queue.putMany(["a", "b"]);
   * assertEquals(queue.getMany(100), ["a", "b"]);
   * ```
   */
  getMany(count: number, options?: QueueWaitOptions): T[] {
    checkInteger(count, "count", 1);
    return this.#core.getting.getMany(count, deadlineOf(options)) as T[];
  }

  /**
   * Puts an item as soon as there is room, and does not block. Several such calls take turns, in order.
   *
   * @param item What to put; it is copied at once.
   * @param options How long to wait, and what ends the waiting.
   * @returns When it is put.
   * @throws {QueueFull} If there was no room in time.
   * @throws {QueueClosed} If the queue is closed.
   * @throws {DOMException} `DataCloneError` if the item cannot be cloned; the signal's reason when it is aborted.
   * @throws {RangeError} If the timeout is negative or not a number.
   *
   * @example Room that comes later
   * ```ts
   * import { Queue } from "@posix/process/ipc";
   * import { assertEquals } from "@std/assert";
   *
   * using queue = new Queue<string>(1);
   * await queue.putAsync("first");
   * const second = queue.putAsync("second");
   * assertEquals(queue.get(), "first");
   * await second;
   * assertEquals(queue.get(), "second");
   * ```
   */
  async putAsync(item: T, options: QueueAsyncOptions = {}): Promise<void> {
    const { signal } = options;
    await putItem(this.#core, item, deadlineOf(options), signal);
  }

  /**
   * Gets the next item as soon as there is one, and does not block. Several such calls take turns, in order.
   *
   * While any of them waits, one thread of Deno's pool does, and the process stays alive.
   *
   * @param options How long to wait, what ends the waiting, and where bytes go, once they are there.
   * @returns The item.
   * @throws {QueueEmpty} If there was none in time.
   * @throws {QueueClosed} If the queue is closed, and empty.
   * @throws {DOMException} The signal's reason, when it is aborted.
   * @throws {RangeError} If the timeout is negative or not a number.
   *
   * @example Giving up
   * ```ts
   * import { Queue } from "@posix/process/ipc";
   * import { assertEquals, assertRejects } from "@std/assert";
   *
   * using queue = new Queue<string>();
   * const given = queue.getAsync();
   * queue.put("item");
   * assertEquals(await given, "item");
   * const signal = AbortSignal.timeout(10);
   * await assertRejects(() => queue.getAsync({ signal }), DOMException);
   * ```
   */
  async getAsync(options: QueueGetAsyncOptions = {}): Promise<T> {
    const { signal } = options;
    const into = intoOf(options);
    return await getItem(this.#core, deadlineOf(options), signal, into) as T;
  }

  /**
   * How many items were put and not yet got; others may be changing it right now.
   *
   * @returns The number.
   * @throws {TypeError} If this handle was released.
   *
   * @example Counting
   * ```ts
   * import { Queue } from "@posix/process/ipc";
   * import { assertEquals } from "@std/assert";
   *
   * using queue = new Queue<number>();
   * queue.putMany([1, 2]);
   * assertEquals(queue.qsize(), 2);
   * ```
   */
  qsize(): number {
    return this.#core.size();
  }

  /**
   * Whether there is no item; others may be changing that right now.
   *
   * @returns Whether a get would wait.
   * @throws {TypeError} If this handle was released.
   *
   * @example A new queue
   * ```ts
   * import { Queue } from "@posix/process/ipc";
   * import { assert } from "@std/assert";
   *
   * using queue = new Queue<number>();
   * assert(queue.empty());
   * ```
   */
  empty(): boolean {
    return this.#core.size() === 0;
  }

  /**
   * Whether there are `maxsize` items; others may be changing that right now. A queue without such a limit is never full, though
   * its memory may be.
   *
   * @returns Whether a put would wait.
   * @throws {TypeError} If this handle was released.
   *
   * @example A queue of one
   * ```ts
   * import { Queue } from "@posix/process/ipc";
   * import { assert } from "@std/assert";
   *
   * using queue = new Queue<number>(1);
   * assert(!queue.full());
   * queue.put(1);
   * assert(queue.full());
   * ```
   */
  full(): boolean {
    return this.maxsize > 0 && this.#core.size() >= this.maxsize;
  }

  /**
   * Closes the queue for every process: nothing more can be put, and those who get are told once they have got the last item.
   *
   * Twice is as good as once. The handle is still to be released.
   *
   * @throws {TypeError} If this handle was released.
   *
   * @example Telling that there will be no more
   * ```ts
   * import { Queue, QueueClosed } from "@posix/process/ipc";
   * import { assertEquals, assertThrows } from "@std/assert";
   *
   * using queue = new Queue<string>();
   * queue.put("last");
   * queue.close();
   * assertThrows(() => queue.put("too late"), QueueClosed);
   * assertEquals(queue.get(), "last");
   * assertThrows(() => queue.get(), QueueClosed);
   * ```
   */
  close(): void {
    this.#core.close();
  }

  /**
   * Lets go of the queue in this process: unmaps its memory, and closes the descriptor. To others nothing happens.
   *
   * Whatever still waits here fails, as does every later use. Twice is as good as once.
   *
   * @throws {PosixError} If the memory cannot be unmapped, which does not happen to memory that was mapped here.
   *
   * @example A handle that is used no more
   * ```ts
   * import { Queue } from "@posix/process/ipc";
   * import { assertThrows } from "@std/assert";
   *
   * const queue = new Queue<string>();
   * queue.release();
   * assertThrows(() => queue.put("x"), TypeError);
   * ```
   */
  release(): void {
    this.#core.release();
  }

  /** The same as {@linkcode Queue.prototype.release | Queue.release}. */
  [Symbol.dispose](): void {
    this.release();
  }

  /**
   * Gets items until the queue is closed and empty, without blocking.
   *
   * @returns The items. Ending the loop early loses none.
   *
   * @example All there will be
   * ```ts
   * import { Queue } from "@posix/process/ipc";
   * import { assertEquals } from "@std/assert";
   *
   * using queue = new Queue<number>();
   * queue.putMany([1, 2, 3]);
   * queue.close();
   * assertEquals(await Array.fromAsync(queue), [1, 2, 3]);
   * ```
   */
  async *[Symbol.asyncIterator](): AsyncIterableIterator<T> {
    let last = performance.now();
    for (let count = 1;; count++) {
      let item: T;
      try {
        item = await this.getAsync();
      } catch (error) {
        if (error instanceof QueueClosed) return;
        throw error;
      }
      yield item;
      if (count % ITEMS_BETWEEN_LOOKS !== 0) continue;
      // Items that are there are got without ever coming back to the event loop, which must have its turn too.
      if (performance.now() - last < LONGEST_TURN_MS) continue;
      await new Promise((resolve) => setTimeout(resolve));
      last = performance.now();
    }
  }
}

const ITEMS_BETWEEN_LOOKS = 32;
const LONGEST_TURN_MS = 10;

function intoOf(options: QueueGetOptions | undefined): Uint8Array | undefined {
  const into = options?.into;
  if (into === undefined || into instanceof Uint8Array) return into;
  throw wrongType(into, "options.into", "a Uint8Array");
}

function checkPlan(
  maxsize: number,
  { bytes = 1 << 20 }: QueueOptions,
): Plan {
  checkInteger(maxsize, "maxsize", 0);
  checkInteger(bytes, "options.bytes", 4096, 2 ** 30);
  if (!isRingBytes(bytes)) {
    throw new RangeError(
      `'options.bytes' must be a power of two: current value is ${bytes}`,
    );
  }
  return { maxsize, ringBytes: bytes };
}

/** Opens the queue of a name, or makes it. */
function openNamed(name: string, options: QueueOpenOptions): Segment {
  const path = sharedMemoryPath(name);
  const { create = false, exclusive = false, mode = 0o600 } = options;
  const plan = checkPlan(options.maxsize ?? 0, options);
  checkMode(mode, "options.mode");
  if (exclusive && !create) {
    throw new TypeError("'options.exclusive' must go with 'create'");
  }
  for (;;) {
    const found = exclusive ? null : Segment.find(path);
    if (found !== null) return found;
    if (!create) {
      throw errorFor(
        ERRNO.ENOENT,
        "shm_open",
        () => `Cannot open queue "${name}"`,
        path,
      );
    }
    const made = Segment.named(path, mode, plan, exclusive);
    // If somebody else was faster, theirs it is.
    if (made !== null) return made;
  }
}
