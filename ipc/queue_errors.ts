/**
 * What a put into a {@linkcode Queue} throws that found no room in time. Nothing of the item was sent.
 *
 * @example A queue of one
 * ```ts
 * import { Queue, QueueFull } from "@posix/process/ipc";
 * import { assertThrows } from "@std/assert";
 *
 * using queue = new Queue<string>(1);
 * queue.put("first");
 * assertThrows(() => queue.putNowait("second"), QueueFull);
 * ```
 *
 * @see {@link https://docs.python.org/3/library/queue.html#queue.Full | queue.Full}
 */
export class QueueFull extends Error {
  /** The class's name. */
  override readonly name = "QueueFull";

  /**
   * Makes the error.
   *
   * @param message What was in vain, and why.
   */
  constructor(message = "Cannot put as the queue is full") {
    super(message);
  }
}

/**
 * What a get from a {@linkcode Queue} throws that found no item in time.
 *
 * @example An empty queue
 * ```ts
 * import { Queue, QueueEmpty } from "@posix/process/ipc";
 * import { assertThrows } from "@std/assert";
 *
 * using queue = new Queue<string>();
 * assertThrows(() => queue.getNowait(), QueueEmpty);
 * ```
 *
 * @see {@link https://docs.python.org/3/library/queue.html#queue.Empty | queue.Empty}
 */
export class QueueEmpty extends Error {
  /** The class's name. */
  override readonly name = "QueueEmpty";

  /**
   * Makes the error.
   *
   * @param message What was in vain, and why.
   */
  constructor(message = "Cannot get as the queue is empty") {
    super(message);
  }
}

/**
 * What a put into a closed {@linkcode Queue} throws, and a get once the last item is taken.
 *
 * @example A closed queue
 * ```ts
 * import { Queue, QueueClosed } from "@posix/process/ipc";
 * import { assertThrows } from "@std/assert";
 *
 * using queue = new Queue<string>();
 * queue.close();
 * assertThrows(() => queue.get(), QueueClosed);
 * ```
 *
 * @see {@link https://docs.python.org/3/library/queue.html#queue.ShutDown | queue.ShutDown}
 */
export class QueueClosed extends Error {
  /** The class's name. */
  override readonly name = "QueueClosed";

  /**
   * Makes the error.
   *
   * @param message What was in vain, and why.
   */
  constructor(message = "Cannot use the queue as it is closed") {
    super(message);
  }
}
