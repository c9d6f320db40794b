import { RUSAGE } from "../ffi/layouts.ts";
import type { Rusage } from "./types.ts";

const AT = RUSAGE.fields;

/** Reads a `struct rusage`. */
export function decodeRusage(view: DataView): Rusage {
  // Both halves of a long as numbers: the detour by BigInt would take several times as long.
  const long = (offset: number) =>
    view.getUint32(offset, true) + view.getInt32(offset + 4, true) * 2 ** 32;
  const seconds = (offset: number) => long(offset) + long(offset + 8) / 1e6;
  return {
    utime: seconds(AT.ru_utime),
    stime: seconds(AT.ru_stime),
    maxrss: long(AT.ru_maxrss),
    ixrss: long(AT.ru_ixrss),
    idrss: long(AT.ru_idrss),
    isrss: long(AT.ru_isrss),
    minflt: long(AT.ru_minflt),
    majflt: long(AT.ru_majflt),
    nswap: long(AT.ru_nswap),
    inblock: long(AT.ru_inblock),
    oublock: long(AT.ru_oublock),
    msgsnd: long(AT.ru_msgsnd),
    msgrcv: long(AT.ru_msgrcv),
    nsignals: long(AT.ru_nsignals),
    nvcsw: long(AT.ru_nvcsw),
    nivcsw: long(AT.ru_nivcsw),
  };
}
