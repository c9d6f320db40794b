import { addressOf, cString } from "../ffi/_c_strings.ts";
import { AT_FDCWD, STATX_UID } from "../ffi/constants.ts";
import { ERRNO } from "../ffi/errno.ts";
import { PASSWD, STATX } from "../ffi/layouts.ts";
import { accountingSymbols } from "../ffi/_symbols.ts";

const statx = new DataView(new ArrayBuffer(STATX.size));

/** The effective user of a process: the owner of its directory in /proc, which the kernel keeps so; `undefined` where it has ended. */
export function ownerOf(pid: number): number | undefined {
  const path = cString(`/proc/${pid}`, "path");
  const result = accountingSymbols()
    .statx(AT_FDCWD, path, 0, STATX_UID, statx);
  return result === -1
    ? undefined
    : statx.getUint32(STATX.fields.stx_uid, true);
}

const STRINGS_SIZE = 1024;
const STRINGS_SIZE_MAX = 1_048_576;

/** The name of a user by way of `getpwuid_r(3)`, and so from wherever the system keeps its users; the number where it has no name. */
export function userName(uid: number): string {
  const passwd = new DataView(new ArrayBuffer(PASSWD.size));
  const found = new BigUint64Array(1);
  const { getpwuid_r } = accountingSymbols();
  for (let size = STRINGS_SIZE; size <= STRINGS_SIZE_MAX; size *= 4) {
    // An `ArrayBuffer` of its own, which V8 never moves: what is found in it is told by addresses.
    const strings = new Uint8Array(new ArrayBuffer(size));
    const base = addressOf(strings.buffer);
    const errno = getpwuid_r(uid, passwd, strings, BigInt(size), found);
    if (errno === ERRNO.ERANGE) continue;
    if (errno !== 0 || found[0] === 0n) break;
    const address = passwd.getBigUint64(PASSWD.fields.pw_name, true);
    const start = Number(address - base);
    const end = strings.indexOf(0, start);
    return new TextDecoder().decode(strings.subarray(start, end));
  }
  return String(uid);
}
