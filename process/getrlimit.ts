import { ERRNO } from "../ffi/errno.ts";
import { RLIMIT } from "../ffi/layouts.ts";
import { PosixError } from "../ffi/posix_error.ts";
import { checkZero } from "../ffi/_results.ts";
import { processSymbols } from "../ffi/_symbols.ts";
import { resourceNumber, RLIM_INFINITY } from "./_resources.ts";
import type { Resource, ResourceLimit } from "./_resources.ts";

export type { Resource, ResourceLimit } from "./_resources.ts";

/**
 * `getrlimit(resource, &rlim)`: the limits of the process for a resource.
 *
 * Deno raises the soft limit of `RLIMIT_NOFILE` to the hard one when it starts, so that it is seldom the shell's `ulimit -n`.
 *
 * @param resource Its name in C, such as `"RLIMIT_NOFILE"`.
 * @returns The two limits, in the resource's own unit (bytes, seconds, a count); `Infinity` for no limit.
 * @throws {PosixError} `EOVERFLOW` if a limit is finite and above 2^53 - 1, which a number cannot hold exactly.
 * @throws {TypeError} If there is no resource of that name; the message has the nearest one.
 *
 * @example How many descriptors there may be
 * ```ts
 * import { getrlimit } from "@posix/process/process";
 * import { assert } from "@std/assert";
 *
 * const { soft, hard } = getrlimit("RLIMIT_NOFILE");
 * assert(soft <= hard);
 * ```
 *
 * @see {@link https://man7.org/linux/man-pages/man2/getrlimit.2.html | getrlimit(2)}
 */
export function getrlimit(resource: Resource): ResourceLimit {
  const number = resourceNumber(resource);
  const rlimit = new Uint8Array(RLIMIT.size);
  const action = () => `Cannot get the limits of ${resource}`;
  checkZero(processSymbols().getrlimit(number, rlimit), "getrlimit", action);
  const view = new DataView(rlimit.buffer);
  const read = (offset: number): number => {
    const value = view.getBigUint64(offset, true);
    if (value === RLIM_INFINITY) return Infinity;
    if (value <= Number.MAX_SAFE_INTEGER) return Number(value);
    throw new PosixError(action(), {
      errno: ERRNO.EOVERFLOW,
      syscall: "getrlimit",
      detail: `a number cannot hold ${value} exactly`,
    });
  };
  const { rlim_cur, rlim_max } = RLIMIT.fields;
  return { soft: read(rlim_cur), hard: read(rlim_max) };
}
