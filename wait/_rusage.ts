import { RUSAGE } from "../ffi/layouts.ts";
import type { Rusage } from "./types.ts";

const AT = RUSAGE.fields;

/** Reads a `struct rusage`. */
export function decodeRusage(words: Uint32Array): Rusage {
  return {
    utime: seconds(words, AT.ru_utime),
    stime: seconds(words, AT.ru_stime),
    maxrss: long(words, AT.ru_maxrss),
    ixrss: long(words, AT.ru_ixrss),
    idrss: long(words, AT.ru_idrss),
    isrss: long(words, AT.ru_isrss),
    minflt: long(words, AT.ru_minflt),
    majflt: long(words, AT.ru_majflt),
    nswap: long(words, AT.ru_nswap),
    inblock: long(words, AT.ru_inblock),
    oublock: long(words, AT.ru_oublock),
    msgsnd: long(words, AT.ru_msgsnd),
    msgrcv: long(words, AT.ru_msgrcv),
    nsignals: long(words, AT.ru_nsignals),
    nvcsw: long(words, AT.ru_nvcsw),
    nivcsw: long(words, AT.ru_nivcsw),
  };
}

/** A long that is not negative, both halves as numbers: the detour by BigInt would take several times as long. */
function long(words: Uint32Array, offset: number): number {
  return words[offset >> 2]! + words[(offset >> 2) + 1]! * 2 ** 32;
}

/** A `struct timeval`. */
function seconds(words: Uint32Array, offset: number): number {
  return long(words, offset) + long(words, offset + 8) / 1e6;
}
