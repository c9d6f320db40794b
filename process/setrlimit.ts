import { checkZero } from "../ffi/_results.ts";
import { processSymbols } from "../ffi/_symbols.ts";
import { encodeLimit, resourceNumber } from "./_resources.ts";
import type { Resource, ResourceLimit } from "./_resources.ts";

/**
 * `setrlimit(resource, &rlim)`: sets the limits of the process for a resource.
 *
 * Forked children and executed programs inherit them. Lowering a hard limit is for good, unless the process is privileged.
 *
 * @param resource Its name in C, such as `"RLIMIT_NOFILE"`.
 * @param limit The two limits, in the resource's own unit (bytes, seconds, a count); `Infinity` for no limit.
 * @throws {PosixError} `EINVAL` if the soft limit is above the hard one; `EPERM` if the hard one is raised without privilege, or
 * that of `RLIMIT_NOFILE` above `/proc/sys/fs/nr_open`.
 * @throws {TypeError} If there is no resource of that name (the message has the nearest one), or a limit is no number.
 * @throws {RangeError} If a limit is neither an integer from 0 to 2^53 - 1 nor `Infinity`.
 *
 * @example A child that may open few files
 * ```ts
 * import { _exit, fork, getrlimit, setrlimit } from "@posix/process/process";
 * import { waitpid } from "@posix/process/wait";
 * import { assertEquals } from "@std/assert";
 *
 * const pid = fork();
 * if (pid === 0) {
 *   const { hard } = getrlimit("RLIMIT_NOFILE");
 *   setrlimit("RLIMIT_NOFILE", { soft: 64, hard });
 *   _exit(getrlimit("RLIMIT_NOFILE").soft);
 * }
 * assertEquals(waitpid(pid)?.status, { kind: "exited", code: 64 });
 * ```
 *
 * @see {@link https://man7.org/linux/man-pages/man2/setrlimit.2.html | setrlimit(2)}
 */
export function setrlimit(resource: Resource, limit: ResourceLimit): void {
  const number = resourceNumber(resource);
  const rlimit = encodeLimit(limit, "limit");
  checkZero(
    processSymbols().setrlimit(number, rlimit),
    "setrlimit",
    () =>
      `Cannot set the limits of ${resource} to ${limit.soft} and ${limit.hard}`,
  );
}
