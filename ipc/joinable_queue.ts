import { coreOf, joined } from "./_queue/core.ts";
import { deadlineOf } from "./_queue/side.ts";
import {
  Queue,
  type QueueAsyncOptions,
  type QueueOpenOptions,
  type QueueWaitOptions,
} from "./queue.ts";

/**
 * A {@linkcode Queue} that knows whether all that was put has been dealt with.
 *
 * Whoever gets an item says with {@linkcode JoinableQueue.prototype.taskDone | JoinableQueue.taskDone} when the work on
 * it is done, and {@linkcode JoinableQueue.prototype.join | JoinableQueue.join} waits until that was said of every
 * item. The work of a process that was killed between the two is never done: who joins should have a timeout, or know
 * of the death of those who work.
 *
 * @typeParam T What the items are.
 *
 * @example Waiting for the work to be done
 * ```ts
 * import { JoinableQueue, Queue } from "@posix/process/ipc";
 * import { _exit, fork } from "@posix/process/process";
 * import { waitpid } from "@posix/process/wait";
 * import { assertEquals } from "@std/assert";
 *
 * using tasks = new JoinableQueue<number>();
 * using results = new Queue<number>();
 * const child = fork();
 * if (child === 0) {
 *   for (let i = 0; i < 3; i++) {
 *     results.put(tasks.get() ** 2);
 *     tasks.taskDone();
 *   }
 *   _exit(0);
 * }
 * tasks.putMany([1, 2, 3]);
 * tasks.join();
 * assertEquals(results.getMany(3), [1, 4, 9]);
 * waitpid(child);
 * ```
 *
 * @see {@link https://man7.org/linux/man-pages/man2/futex.2.html | futex(2)}
 */
export class JoinableQueue<T> extends Queue<T> {
  /**
   * Opens, or makes, the queue of a name: see {@linkcode Queue.open}.
   *
   * @param name The name, without slashes.
   * @param options Whether to make it, and how.
   * @returns The queue.
   * @throws {PosixError} `ENOENT` if there is none and none is to be made; `EEXIST` if there is one and none should be;
   * `EINVAL` if it is something else than a queue.
   *
   * @example A queue that both sides make
   * ```ts
   * import { JoinableQueue } from "@posix/process/ipc";
   * import { assert } from "@std/assert";
   *
   * using tasks = JoinableQueue.open("doc-example-tasks", { create: true });
   * JoinableQueue.unlink("doc-example-tasks");
   * assert(tasks.join());
   * ```
   */
  static override open<T>(
    name: string,
    options: QueueOpenOptions = {},
  ): JoinableQueue<T> {
    return super.open<T>(name, options) as JoinableQueue<T>;
  }

  /**
   * Makes a handle of the descriptor of a queue: see {@linkcode Queue.from}.
   *
   * @param fd The descriptor.
   * @returns The queue.
   * @throws {PosixError} `EBADF` if it is not open; `EINVAL` if it is something else than a queue.
   *
   * @example A second handle
   * ```ts
   * import { dup, JoinableQueue } from "@posix/process/ipc";
   * import { assert } from "@std/assert";
   *
   * using here = new JoinableQueue<string>();
   * using there = JoinableQueue.from<string>(dup(here.fd));
   * here.put("task");
   * there.get();
   * there.taskDone();
   * assert(here.join());
   * ```
   */
  static override from<T>(fd: number): JoinableQueue<T> {
    return super.from<T>(fd) as JoinableQueue<T>;
  }

  /**
   * Says that the work on an item that was got is done.
   *
   * @throws {RangeError} If that was said for every item that was ever put already.
   *
   * @example Once too often
   * ```ts
   * import { JoinableQueue } from "@posix/process/ipc";
   * import { assertThrows } from "@std/assert";
   *
   * using tasks = new JoinableQueue<string>();
   * tasks.put("task");
   * tasks.get();
   * tasks.taskDone();
   * assertThrows(() => tasks.taskDone(), RangeError);
   * ```
   */
  taskDone(): void {
    coreOf(this).taskDone();
  }

  /**
   * Waits until the work on all items that were put is done, and blocks the thread meanwhile.
   *
   * @param options How long to wait.
   * @returns Whether it is done; `false` if the time was over.
   * @throws {RangeError} If the timeout is negative or not a number.
   *
   * @example Nothing to wait for, and something
   * ```ts
   * import { JoinableQueue } from "@posix/process/ipc";
   * import { assertEquals } from "@std/assert";
   *
   * using tasks = new JoinableQueue<string>();
   * assertEquals(tasks.join(), true);
   * tasks.put("task");
   * assertEquals(tasks.join({ timeout: 10 }), false);
   * ```
   */
  join(options?: QueueWaitOptions): boolean {
    return coreOf(this).join(deadlineOf(options));
  }

  /**
   * Waits until the work on all items that were put is done, and does not block.
   *
   * @param options How long to wait, and what ends the waiting.
   * @returns Whether it is done; `false` if the time was over.
   * @throws {DOMException} The signal's reason, when it is aborted.
   * @throws {RangeError} If the timeout is negative or not a number.
   *
   * @example Done meanwhile
   * ```ts
   * import { JoinableQueue } from "@posix/process/ipc";
   * import { assertEquals } from "@std/assert";
   *
   * using tasks = new JoinableQueue<string>();
   * tasks.put("task");
   * const done = tasks.joinAsync();
   * tasks.get();
   * tasks.taskDone();
   * assertEquals(await done, true);
   * ```
   */
  async joinAsync(options: QueueAsyncOptions = {}): Promise<boolean> {
    const { signal } = options;
    return await joined(coreOf(this), deadlineOf(options), signal);
  }
}
