import {
  checkArray,
  checkDescriptor,
  checkInteger,
  checkNumber,
} from "../ffi/_arguments.ts";
import { readErrno } from "../ffi/_errno.ts";
import { errorFor } from "../ffi/_results.ts";
import { descriptorSymbols } from "../ffi/_symbols.ts";
import { ERRNO } from "../ffi/errno.ts";
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
