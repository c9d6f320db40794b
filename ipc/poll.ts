import {
  checkArray,
  checkDescriptor,
  checkInteger,
  checkNumber,
  wrongType,
} from "../ffi/_arguments.ts";
import {
  checkValue,
  errorFor,
  readErrno,
  retryInterrupted,
} from "../ffi/_libc.ts";
import { descriptorSymbols } from "../ffi/_symbols.ts";
import { EFD_CLOEXEC } from "../ffi/constants.ts";
import { ERRNO } from "../ffi/errors.ts";
import { POLLFD } from "../ffi/layouts.ts";

/** The largest `short`, as which C holds events. */
const EVENTS_MAX = 0x7fff;

/** The longest that one call can wait, in milliseconds: the largest `int`, 24.8 days. */
const WAIT_MAX = 0x7fff_ffff;

/** A descriptor to wait for. */
export interface PollRequest {
  /** The descriptor. */
  fd: number;
  /** What to wait for: {@linkcode POLLIN}, {@linkcode POLLOUT} and others, or-ed together. */
  events: number;
}

/** A descriptor that is ready. */
export interface PollResult {
  /** The descriptor. */
  fd: number;
  /** What it is ready for; {@linkcode POLLERR}, {@linkcode POLLHUP} and {@linkcode POLLNVAL} are told unasked. */
  revents: number;
}

/**
 * `poll(fds, nfds, timeout)`: waits until a descriptor is ready.
 *
 * Blocks the thread, event loop included, for as long as it waits. Retried on `EINTR`, with the time that is left.
 *
 * A descriptor that is not open does not make it fail, but is reported with {@linkcode POLLNVAL}. Regular files are
 * always ready.
 *
 * @param fds The descriptors, each with the events to wait for. With none, it only waits.
 * @param timeoutMs The longest to wait, in milliseconds (a fraction counts as a whole one); 0 to look without waiting;
 * -1 or `Infinity` to wait for ever.
 * @returns The descriptors that are ready, in the order of the request; empty if the time is up.
 * @throws {PosixError} `EINVAL` if there are more than `RLIMIT_NOFILE` descriptors.
 *
 * @example Waiting for either of two pipes
 * ```ts
 * import { close, pipe, poll, POLLIN, write } from "@posix/process/ipc";
 * import { assertEquals } from "@std/assert";
 *
 * const [reader1, writer1] = pipe();
 * const [reader2, writer2] = pipe();
 * write(writer2, "x");
 * const ready = poll(
 *   [{ fd: reader1, events: POLLIN }, { fd: reader2, events: POLLIN }],
 *   1000,
 * );
 * assertEquals(ready, [{ fd: reader2, revents: POLLIN }]);
 * for (const fd of [reader1, writer1, reader2, writer2]) close(fd);
 * ```
 *
 * @see {@link https://man7.org/linux/man-pages/man2/poll.2.html | poll(2)}
 */
export function poll(
  fds: readonly PollRequest[],
  timeoutMs: number,
): PollResult[] {
  const table = pollTable(fds);
  const timeout = checkTimeout(timeoutMs);
  const { poll } = descriptorSymbols();
  const deadline = performance.now() + timeout;
  const length = BigInt(fds.length);
  for (let rest = timeout;;) {
    const wait = rest === Infinity ? -1 : Math.min(Math.ceil(rest), WAIT_MAX);
    const count = poll(table, length, wait);
    if (count > 0 || (count === 0 && wait < WAIT_MAX)) break;
    if (count === -1) throwUnlessInterrupted();
    rest = Math.max(0, deadline - performance.now());
  }
  return readyOnes(fds, table);
}

/** The array of `struct pollfd` that asks for these. */
function pollTable(fds: readonly PollRequest[]): DataView<ArrayBuffer> {
  checkArray(fds, "fds");
  const table = new DataView(new ArrayBuffer(fds.length * POLLFD.size));
  // Not `forEach`, which would pass over a hole.
  for (const [index, request] of fds.entries()) {
    const at = index * POLLFD.size;
    const fd = checkDescriptor(request?.fd, `fds[${index}].fd`);
    const events = checkInteger(
      request.events,
      `fds[${index}].events`,
      0,
      EVENTS_MAX,
    );
    table.setInt32(at + POLLFD.fields.fd, fd, true);
    table.setInt16(at + POLLFD.fields.events, events, true);
  }
  return table;
}

/** The timeout in milliseconds, `Infinity` where it is for ever. */
function checkTimeout(timeoutMs: number): number {
  checkNumber(timeoutMs, "timeoutMs");
  if (timeoutMs === -1) return Infinity;
  // FFI takes no -0 for an integer, and the sum is 0.
  if (timeoutMs >= 0) return timeoutMs + 0;
  throw new RangeError(
    `'timeoutMs' must be -1 or not negative: current value is ${timeoutMs}`,
  );
}

function throwUnlessInterrupted(): void {
  const errno = readErrno();
  if (errno === ERRNO.EINTR) return;
  throw errorFor(errno, "poll", () => "Cannot wait for descriptors");
}

function readyOnes(
  fds: readonly PollRequest[],
  table: DataView<ArrayBuffer>,
): PollResult[] {
  return fds.map(({ fd }, index) => ({
    fd,
    revents: table.getUint16(index * POLLFD.size + POLLFD.fields.revents, true),
  })).filter(({ revents }) => revents !== 0);
}

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
