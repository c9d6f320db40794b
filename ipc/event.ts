import { futexWake } from "../ffi/_locks.ts";
import { SharedPlace, type SharedPlacement } from "./_shared_place.ts";
import {
  timeoutOf,
  type WaitAsyncOptions,
  waitBlocking,
  type Waiting,
  WaitingLine,
  type WaitOptions,
} from "./_waiting.ts";

const BYTES = 64;

/** How often it was set and cleared: odd while it is set. So nobody misses that it was set, though it be cleared at once. */
const TURNS = 0;
const ALL = 0x7fff_ffff;

/**
 * Python's `multiprocessing.Event`: something that has happened, or not, for all processes to see and to wait for.
 *
 * Made without memory, it is shared with the processes that are forked from then on. Made in a {@linkcode SharedMemory}, it is the
 * same event for all who make one at that offset. Processes that are killed do it no harm.
 *
 * Its name is that of a class of the web platform; import it as another if you need both.
 *
 * @example A start signal
 * ```ts
 * import { Event } from "@posix/process/ipc";
 * import { _exit, fork } from "@posix/process/process";
 * import { waitpid } from "@posix/process/wait";
 * import { assertEquals } from "@std/assert";
 *
 * using start = new Event();
 * const pid = fork();
 * if (pid === 0) {
 *   start.wait();
 *   _exit(7);
 * }
 * start.set();
 * assertEquals(waitpid(pid)?.status, { kind: "exited", code: 7 });
 * ```
 *
 * @see {@link https://docs.python.org/3/library/multiprocessing.html#multiprocessing.Event | multiprocessing.Event}
 * @see {@link https://man7.org/linux/man-pages/man2/futex.2.html | futex(2)}
 */
export class Event implements Disposable {
  /** How many bytes it takes in memory. */
  static readonly BYTES: number = BYTES;

  readonly #place: SharedPlace;
  readonly #line = new WaitingLine();

  /**
   * Makes the event, which has not happened yet, or finds it where it was made before.
   *
   * @param placement The memory in which it lies, if not its own.
   */
  constructor(placement: SharedPlacement = {}) {
    this.#place = new SharedPlace("event", BYTES, placement);
  }

  /** Whether it has happened. Throws a `TypeError` if it is closed. */
  get isSet(): boolean {
    return (Atomics.load(this.#words("look at"), TURNS) & 1) === 1;
  }

  /**
   * Has it happen: wakes all who wait, and nobody waits any more until {@linkcode Event.prototype.clear | Event.clear}.
   *
   * @throws {TypeError} If it is closed.
   *
   * @example Happened
   * ```ts
   * import { Event } from "@posix/process/ipc";
   * import { assert } from "@std/assert";
   *
   * using event = new Event();
   * event.set();
   * assert(event.isSet && event.wait());
   * ```
   */
  set(): void {
    const words = this.#words("set");
    const turns = Atomics.load(words, TURNS);
    if ((turns & 1) === 1) return;
    // If another was faster, it has set it.
    const found = Atomics.compareExchange(words, TURNS, turns, turns + 1);
    if (found === turns) futexWake(words, TURNS, ALL);
  }

  /**
   * Has it not happened: from now on, it is waited for again.
   *
   * @throws {TypeError} If it is closed.
   *
   * @example To be used again
   * ```ts
   * import { Event } from "@posix/process/ipc";
   * import { assertEquals } from "@std/assert";
   *
   * using event = new Event();
   * event.set();
   * event.clear();
   * assertEquals(event.isSet, false);
   * ```
   */
  clear(): void {
    const words = this.#words("clear");
    const turns = Atomics.load(words, TURNS);
    if ((turns & 1) === 0) return;
    Atomics.compareExchange(words, TURNS, turns, turns + 1);
  }

  /**
   * Waits until it has happened.
   *
   * Blocks the thread, event loop included; see {@linkcode Event.prototype.waitAsync | Event.waitAsync} for the version
   * that does not.
   *
   * @param options How long to wait.
   * @returns Whether it has happened; false if the time is over.
   * @throws {RangeError} If the timeout is negative or `NaN`.
   * @throws {TypeError} If it is closed.
   *
   * @example Nothing happens
   * ```ts
   * import { Event } from "@posix/process/ipc";
   * import { assertEquals } from "@std/assert";
   *
   * using event = new Event();
   * assertEquals(event.wait({ timeout: 5 }), false);
   * ```
   */
  wait(options: WaitOptions = {}): boolean {
    const timeout = timeoutOf(options);
    return waitBlocking(this.#waiting(), timeout) ?? false;
  }

  /**
   * Waits until it has happened, without blocking the event loop.
   *
   * Those of this process who wait take one thread of Deno's pool together. A promise that is pending when the process forks does
   * not settle in the child.
   *
   * @param options How long to wait, and what ends it before.
   * @returns Whether it has happened; false if the time is over.
   * @throws {RangeError} If the timeout is negative or `NaN`.
   * @throws {TypeError} If it is closed, or gets closed meanwhile.
   *
   * @example Something happens
   * ```ts
   * import { Event } from "@posix/process/ipc";
   * import { assert } from "@std/assert";
   *
   * using event = new Event();
   * const happened = event.waitAsync({ timeout: 5000 });
   * event.set();
   * assert(await happened);
   * ```
   */
  async waitAsync(options: WaitAsyncOptions = {}): Promise<boolean> {
    const timeout = timeoutOf(options);
    const { signal } = options;
    return await this.#line.wait(this.#waiting(), timeout, signal) ?? false;
  }

  /**
   * Ends the use of the event in this process; twice without harm. Others go on with it.
   *
   * @throws {PosixError} If its memory cannot be unmapped, which does not happen to memory that was mapped here.
   *
   * @example Using it afterwards
   * ```ts
   * import { Event } from "@posix/process/ipc";
   * import { assertThrows } from "@std/assert";
   *
   * const event = new Event();
   * event.close();
   * assertThrows(() => event.set(), TypeError, "it is closed");
   * ```
   */
  close(): void {
    this.#line.interrupt();
    this.#place.close();
  }

  /** Closes the event. */
  [Symbol.dispose](): void {
    this.close();
  }

  #words(action: string): Int32Array {
    if (this.#place.stale) this.#place.renew(action);
    return this.#place.words;
  }

  #waiting(): Waiting<true> {
    const place = this.#place;
    const turns = Atomics.load(this.#words("wait for"), TURNS);
    return {
      place,
      index: TURNS,
      attempt: () =>
        (turns & 1) === 1 ||
        Atomics.load(this.#words("wait for"), TURNS) !== turns || undefined,
      mark: () => turns,
    };
  }
}
