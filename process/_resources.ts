import { checkName, checkObject, checkSize } from "../ffi/_arguments.ts";
import * as constants from "../ffi/constants.ts";
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
export const RLIM_INFINITY = 0xffff_ffff_ffff_ffffn;

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
