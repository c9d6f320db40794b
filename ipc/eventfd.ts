import { checkDescriptor, checkInteger, wrongType } from "../ffi/_arguments.ts";
import { EFD_CLOEXEC } from "../ffi/constants.ts";
import { checkValue, retryInterrupted } from "../ffi/_results.ts";
import { descriptorSymbols } from "../ffi/_symbols.ts";

const UINT32_MAX = 0xffff_ffff;

/** The kernel keeps one value free, so that "full" can be told. */
const VALUE_MAX = 0xffff_ffff_ffff_fffen;

/**
 * `eventfd(initial, flags)`: creates a descriptor that is nothing but a number in the kernel, by which processes and threads wake each other.
 *
 * {@linkcode eventfdWrite} adds to the number, and {@linkcode eventfdRead} takes it, waiting while it is 0; {@linkcode poll}
 * reports it as readable while it is above 0. It is shared with forked children, and close-on-exec.
 *
 * @param initial The number to begin with.
 * @param flags {@linkcode EFD_NONBLOCK} and {@linkcode EFD_SEMAPHORE} (a read takes 1), or-ed together.
 * @returns The descriptor, open until {@linkcode close}.
 * @throws {PosixError} `EINVAL` if a flag is unknown; `EMFILE` if the process has no descriptor left.
 * @throws {RangeError} If `initial` is no integer from 0 to 4,294,967,295.
 *
 * @example Counting events
 * ```ts
 * import { close, eventfd, eventfdRead, eventfdWrite } from "@posix/process/ipc";
 * import { assertEquals } from "@std/assert";
 *
 * const events = eventfd();
 * eventfdWrite(events, 3);
 * eventfdWrite(events, 4);
 * assertEquals(eventfdRead(events), 7n);
 * close(events);
 * ```
 *
 * @see {@link https://man7.org/linux/man-pages/man2/eventfd.2.html | eventfd(2)}
 */
export function eventfd(initial: number = 0, flags: number = 0): number {
  checkInteger(initial, "initial", 0, UINT32_MAX);
  checkInteger(flags, "flags", 0);
  return checkValue(
    descriptorSymbols().eventfd(initial, flags | EFD_CLOEXEC),
    "eventfd",
    () => "Cannot create eventfd",
  );
}

/**
 * `eventfd_read(fd, &value)`: takes the number out of an eventfd, which is 0 from then on, or takes 1 with {@linkcode EFD_SEMAPHORE}.
 *
 * Blocks the thread, event loop included, while it is 0. Retried on `EINTR`.
 *
 * @param fd The eventfd.
 * @returns The number that was taken, of 64 bits.
 * @throws {PosixError} `EAGAIN` if it is 0 and the descriptor is non-blocking; `EBADF` if it is not open.
 *
 * @example A semaphore
 * ```ts
 * import { close, EFD_SEMAPHORE, eventfd, eventfdRead } from "@posix/process/ipc";
 * import { assertEquals } from "@std/assert";
 *
 * const tokens = eventfd(2, EFD_SEMAPHORE);
 * assertEquals([eventfdRead(tokens), eventfdRead(tokens)], [1n, 1n]);
 * close(tokens);
 * ```
 *
 * @see {@link https://man7.org/linux/man-pages/man2/eventfd.2.html | eventfd(2)}
 */
export function eventfdRead(fd: number): bigint {
  checkDescriptor(fd);
  const value = new BigUint64Array(1);
  const { read } = descriptorSymbols();
  retryInterrupted(
    () => read(fd, value, 8n),
    "read",
    () => `Cannot read eventfd ${fd}`,
  );
  return value[0]!;
}

/**
 * `eventfd_write(fd, value)`: adds to the number of an eventfd, and so wakes who waits for it.
 *
 * Blocks the thread, event loop included, while the sum would be above 2^64 - 2. Retried on `EINTR`.
 *
 * @param fd The eventfd.
 * @param value What to add.
 * @throws {PosixError} `EAGAIN` if there is no room for it and the descriptor is non-blocking; `EBADF` if it is not open.
 * @throws {TypeError} If `value` is neither a number nor a bigint.
 * @throws {RangeError} If `value` is no integer from 0 to 2^64 - 2, or a number that is not safe.
 *
 * @example Waking another process
 * ```ts
 * import { close, eventfd, eventfdRead, eventfdWrite } from "@posix/process/ipc";
 * import { _exit, fork } from "@posix/process/process";
 * import { waitpid } from "@posix/process/wait";
 * import { assertEquals } from "@std/assert";
 *
 * const ready = eventfd();
 * const pid = fork();
 * if (pid === 0) {
 *   eventfdWrite(ready, 1);
 *   _exit(0);
 * }
 * assertEquals(eventfdRead(ready), 1n); // waits for the child
 * waitpid(pid);
 * close(ready);
 * ```
 *
 * @see {@link https://man7.org/linux/man-pages/man2/eventfd.2.html | eventfd(2)}
 */
export function eventfdWrite(fd: number, value: number | bigint): void {
  checkDescriptor(fd);
  if (typeof value !== "number" && typeof value !== "bigint") {
    throw wrongType(value, "value", "a number or a bigint");
  }
  if (
    typeof value === "number" && !Number.isSafeInteger(value) || value < 0 ||
    value > VALUE_MAX
  ) {
    throw new RangeError(
      `'value' must be an integer from 0 to ${VALUE_MAX}: current value is ${value}`,
    );
  }
  const { write } = descriptorSymbols();
  const bytes = BigUint64Array.of(BigInt(value));
  retryInterrupted(
    () => write(fd, bytes, 8n),
    "write",
    () => `Cannot write eventfd ${fd}`,
  );
}
