import { checkDescriptor, checkInteger } from "../ffi/_arguments.ts";
import { retryInterrupted } from "../ffi/_results.ts";
import { exchangeSymbols } from "../ffi/_symbols.ts";

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
