import { onForkedChild } from "../ffi/_after_fork.ts";
import {
  checkAbortSignal,
  checkDescriptor,
  checkInteger,
} from "../ffi/_arguments.ts";
import { retryInterrupted } from "../ffi/_libc.ts";
import { exchangeSymbols } from "../ffi/_symbols.ts";
import { LOCK_NB } from "../ffi/constants.ts";
import { PosixError } from "../ffi/errors.ts";

/**
 * `flock(fd, operation)`: locks an open file against others who lock it, or lets the lock go.
 *
 * The lock binds only those who ask for it as well. It belongs to the open file, which duplicates and forked children share:
 * any of them can let it go, and it ends by itself when the last of them is closed, however its process ends. Whoever opens
 * the file anew has an open file of its own, in the same process too. A lock that is held can be changed from one kind to the
 * other, but not in one step: another may get in between.
 *
 * Blocks the thread, event loop included, until it has the lock; see {@linkcode flockAsync} for the version that does not.
 * Retried on `EINTR`.
 *
 * @param fd The descriptor.
 * @param operation {@linkcode LOCK_SH} for a lock that is shared, {@linkcode LOCK_EX} for one holder, {@linkcode LOCK_UN} to
 * let it go; or-ed with {@linkcode LOCK_NB} not to wait.
 * @throws {PosixError} `EAGAIN` (which is also called `EWOULDBLOCK`) if with {@linkcode LOCK_NB} another holds it; `EINVAL` if
 * the operation is unknown; `EBADF` if the descriptor is not open, or opened with `O_PATH`; `ENOLCK` if there is no memory for it.
 *
 * @example One at a time
 * ```ts
 * import { close, flock, LOCK_EX, LOCK_NB, LOCK_UN, O_RDONLY, open } from "@posix/process/ipc";
 * import { PosixError } from "@posix/process";
 * import { assertThrows } from "@std/assert";
 *
 * const [first, second] = [open("/proc/self", O_RDONLY), open("/proc/self", O_RDONLY)];
 * flock(first, LOCK_EX);
 * assertThrows(() => flock(second, LOCK_EX | LOCK_NB), PosixError, "EAGAIN");
 * flock(first, LOCK_UN);
 * flock(second, LOCK_EX | LOCK_NB);
 * close(first);
 * close(second);
 * ```
 *
 * @see {@link https://man7.org/linux/man-pages/man2/flock.2.html | flock(2)}
 */
export function flock(fd: number, operation: number): void {
  checkDescriptor(fd);
  checkInteger(operation, "operation");
  const libc = exchangeSymbols();
  retryInterrupted(
    () => libc.flock(fd, operation),
    "flock",
    () => `Cannot lock descriptor ${fd}`,
  );
}

/** The pauses between two looks, in milliseconds: they grow up to the last. */
const FIRST_PAUSE = 1;
const LAST_PAUSE = 32;

/** Options for {@linkcode flockAsync}. */
export interface FlockAsyncOptions {
  /**
   * Gives up waiting.
   *
   * @default {undefined}
   */
  signal?: AbortSignal;
}

let registered = false;
let generation = 0;

/**
 * `flock(fd, operation)`, without blocking the event loop.
 *
 * The kernel announces a free lock to nobody but threads that sleep for it, and such a sleep could not be given up. So this
 * looks again and again, at first after 1 ms and then in pauses that grow to 32 ms: those who wait do not queue, and one who
 * sleeps in {@linkcode flock} is always ahead of them. Waiting keeps the process alive. In a child made by `fork`, the
 * parent's pending calls never settle.
 *
 * Every failure, a wrong argument included, is a rejection.
 *
 * @param fd The descriptor.
 * @param operation As for {@linkcode flock}.
 * @param options Options for giving up.
 * @returns Resolves when the lock is held, or let go.
 * @throws {PosixError} As {@linkcode flock} does; `EAGAIN` only if {@linkcode LOCK_NB} is given.
 * @throws {TypeError} If `options.signal` is no `AbortSignal`.
 * @throws {unknown} The signal's reason if it is aborted.
 *
 * @example Waiting for a lock while the event loop goes on
 * ```ts
 * import { close, flock, flockAsync, LOCK_EX, LOCK_UN, O_RDONLY, open } from "@posix/process/ipc";
 * import { assertEquals } from "@std/assert";
 *
 * const [first, second] = [open("/proc/self", O_RDONLY), open("/proc/self", O_RDONLY)];
 * flock(first, LOCK_EX);
 * const order: string[] = [];
 * setTimeout(() => {
 *   order.push("let go");
 *   flock(first, LOCK_UN);
 * }, 5);
 * await flockAsync(second, LOCK_EX);
 * order.push("locked");
 * assertEquals(order, ["let go", "locked"]);
 * close(first);
 * close(second);
 * ```
 *
 * @see {@link https://man7.org/linux/man-pages/man2/flock.2.html | flock(2)}
 */
export async function flockAsync(
  fd: number,
  operation: number,
  options: FlockAsyncOptions = {},
): Promise<void> {
  const { signal } = options;
  checkDescriptor(fd);
  checkInteger(operation, "operation");
  checkAbortSignal(signal);
  if (!registered) onForkedChild(() => generation++);
  registered = true;
  const started = generation;
  for (let pause = FIRST_PAUSE;; pause = Math.min(pause * 2, LAST_PAUSE)) {
    signal?.throwIfAborted();
    if (tryLock(fd, operation)) return;
    await sleep(pause, signal);
    if (generation !== started) await new Promise(() => {});
  }
}

/** Gives false where another holds the lock, and the caller is willing to wait. */
function tryLock(fd: number, operation: number): boolean {
  try {
    flock(fd, operation | LOCK_NB);
    return true;
  } catch (error) {
    const held = error instanceof PosixError && error.code === "EAGAIN";
    if (!held || (operation & LOCK_NB) !== 0) throw error;
    return false;
  }
}

function sleep(
  milliseconds: number,
  signal: AbortSignal | undefined,
): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      clearTimeout(timer);
      signal?.removeEventListener("abort", done);
      resolve();
    };
    const timer = setTimeout(done, milliseconds);
    signal?.addEventListener("abort", done);
  });
}
