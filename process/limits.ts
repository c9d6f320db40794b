import { checkName, checkObject, checkSize } from "../ffi/_arguments.ts";
import { checkZero } from "../ffi/_libc.ts";
import { processSymbols } from "../ffi/_symbols.ts";
import * as constants from "../ffi/constants.ts";
import { ERRNO, PosixError } from "../ffi/errors.ts";
import { RLIMIT } from "../ffi/layouts.ts";

/** A resource that can be limited, under its name in C. */
export type Resource =
  | "RLIMIT_AS"
  | "RLIMIT_CORE"
  | "RLIMIT_CPU"
  | "RLIMIT_DATA"
  | "RLIMIT_FSIZE"
  | "RLIMIT_LOCKS"
  | "RLIMIT_MEMLOCK"
  | "RLIMIT_MSGQUEUE"
  | "RLIMIT_NICE"
  | "RLIMIT_NOFILE"
  | "RLIMIT_NPROC"
  | "RLIMIT_RSS"
  | "RLIMIT_RTPRIO"
  | "RLIMIT_RTTIME"
  | "RLIMIT_SIGPENDING"
  | "RLIMIT_STACK";

/** The two limits of a resource; `Infinity` is `RLIM_INFINITY`, no limit. */
export interface ResourceLimit {
  /** What the kernel enforces; the process may move it anywhere up to the hard limit. */
  soft: number;
  /** The ceiling of the soft limit; only a privileged process may raise it. */
  hard: number;
}

/** `RLIM_INFINITY` of C. */
const RLIM_INFINITY = 0xffff_ffff_ffff_ffffn;

const NUMBERS: Readonly<Record<Resource, number>> = {
  RLIMIT_AS: constants.RLIMIT_AS,
  RLIMIT_CORE: constants.RLIMIT_CORE,
  RLIMIT_CPU: constants.RLIMIT_CPU,
  RLIMIT_DATA: constants.RLIMIT_DATA,
  RLIMIT_FSIZE: constants.RLIMIT_FSIZE,
  RLIMIT_LOCKS: constants.RLIMIT_LOCKS,
  RLIMIT_MEMLOCK: constants.RLIMIT_MEMLOCK,
  RLIMIT_MSGQUEUE: constants.RLIMIT_MSGQUEUE,
  RLIMIT_NICE: constants.RLIMIT_NICE,
  RLIMIT_NOFILE: constants.RLIMIT_NOFILE,
  RLIMIT_NPROC: constants.RLIMIT_NPROC,
  RLIMIT_RSS: constants.RLIMIT_RSS,
  RLIMIT_RTPRIO: constants.RLIMIT_RTPRIO,
  RLIMIT_RTTIME: constants.RLIMIT_RTTIME,
  RLIMIT_SIGPENDING: constants.RLIMIT_SIGPENDING,
  RLIMIT_STACK: constants.RLIMIT_STACK,
};

const NAMES = Object.keys(NUMBERS) as Resource[];

/** The number of a resource; an unknown name is answered with the nearest. */
export function resourceNumber(resource: Resource): number {
  return NUMBERS[checkName(resource, "resource", NAMES)];
}

/** A `struct rlimit` of two limits. */
export function encodeLimit(
  limit: ResourceLimit,
  name: string,
): Uint8Array<ArrayBuffer> {
  checkObject(limit, name);
  const { soft, hard } = limit;
  const rlimit = new Uint8Array(RLIMIT.size);
  const view = new DataView(rlimit.buffer);
  const { rlim_cur, rlim_max } = RLIMIT.fields;
  view.setBigUint64(rlim_cur, toRlim(soft, `${name}.soft`), true);
  view.setBigUint64(rlim_max, toRlim(hard, `${name}.hard`), true);
  return rlimit;
}

function toRlim(value: number, name: string): bigint {
  if (value === Infinity) return RLIM_INFINITY;
  return BigInt(checkSize(value, name));
}

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
