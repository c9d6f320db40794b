import { descriptorSymbols } from "../ffi/_symbols.ts";
import {
  AT_EMPTY_PATH,
  FIONREAD,
  S_IFIFO,
  S_IFMT,
  S_IFREG,
  SEEK_CUR,
  STATX_SIZE,
  STATX_TYPE,
} from "../ffi/constants.ts";
import { STATX } from "../ffi/layouts.ts";

/** What a read asks for where a file or a pipe holds less, or does not say: a pipe's usual capacity. */
export const SMALL_READ = 65_536;

/** What it asks for elsewhere: room for a datagram, which is cut where the buffer is too short, and for a device. */
const LARGE_READ = 1_048_576;

/** Linux moves at most this much in one call. */
const MAX_READ = 0x7fff_f000;

const EMPTY_PATH = new Uint8Array(1);

/**
 * About how many bytes one `read` can bring at this moment, so that a huge count needs no huge buffer.
 *
 * Never less than there is: what remains of a regular file, what waits in a pipe, socket or terminal. It asks and does
 * not judge: for a descriptor that cannot be read, `read` itself gives the error.
 */
export function readLimit(fd: number): number {
  const libc = descriptorSymbols();
  const status = new DataView(new ArrayBuffer(STATX.size));
  const type = libc.statx(
      fd,
      EMPTY_PATH,
      AT_EMPTY_PATH,
      STATX_TYPE | STATX_SIZE,
      status,
    ) === 0
    ? status.getUint16(STATX.fields.stx_mode, true) & S_IFMT
    : 0;
  if (type === S_IFREG) {
    const size = Number(status.getBigUint64(STATX.fields.stx_size, true));
    const remaining = size - Number(libc.lseek(fd, 0n, SEEK_CUR));
    // The files of /proc are regular and of size 0, whatever they hold.
    return Math.min(Math.max(remaining, SMALL_READ), MAX_READ);
  }
  const available = new Int32Array(1);
  libc.ioctl(fd, BigInt(FIONREAD), available);
  const usual = type === S_IFIFO ? SMALL_READ : LARGE_READ;
  return Math.min(Math.max(available[0]!, usual), MAX_READ);
}
