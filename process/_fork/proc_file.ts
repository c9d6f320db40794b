import { cString } from "../../ffi/_c_strings.ts";
import {
  O_CLOEXEC,
  O_DIRECTORY,
  O_RDONLY,
  SYS_getdents64,
} from "../../ffi/constants.ts";
import { ERRNO } from "../../ffi/errno.ts";
import {
  markOwnDescriptor,
  unmarkOwnDescriptor,
} from "../../ffi/_own_descriptors.ts";
import { checkValue, lastError } from "../../ffi/_results.ts";
import { procSymbols } from "../../ffi/_symbols.ts";

const decoder = new TextDecoder();
const scratch = new Uint8Array(new ArrayBuffer(65_536));
const LINK_MAX = 4096n;
const scratchView = new DataView(scratch.buffer);

/** Opens a file or directory of /proc; -1 where there is none, as when a thread has ended meanwhile. */
export function openProc(path: string, flags = 0): number {
  const name = cString(path, "path");
  for (let attempt = 1;; attempt++) {
    const fd = procSymbols().open(
      name,
      O_RDONLY | O_CLOEXEC | flags,
      0,
    );
    if (fd !== -1) {
      markOwnDescriptor(fd);
      return fd;
    }
    const error = lastError("open", () => `Cannot open ${path}`, path);
    if (error.errno === ERRNO.ENOENT || error.errno === ERRNO.ESRCH) return -1;
    // V8 may have set errno since, if ever so rarely: it is believed when it says the same again.
    if (attempt === 2) throw error;
  }
}

/** Closes what {@linkcode openProc} gave. */
export function closeProc(fd: number): void {
  if (fd === -1) return;
  unmarkOwnDescriptor(fd);
  procSymbols().close(fd);
}

/** Reads an open file of /proc afresh, without allocating; gives the number of bytes, 0 where its thread has ended. */
export function rereadProc(fd: number, into: Uint8Array<ArrayBuffer>): number {
  const count = procSymbols().pread(fd, into, BigInt(into.length), 0n);
  return count === -1 ? 0 : count;
}

/** The text of a file of /proc; empty where there is none. */
export function readProc(path: string): string {
  const fd = openProc(path);
  if (fd === -1) return "";
  const libc = procSymbols();
  const stream = new TextDecoder();
  let text = "";
  for (;;) {
    const count = libc.read(fd, scratch, BigInt(scratch.length));
    if (count <= 0) break;
    text += stream.decode(scratch.subarray(0, count), { stream: true });
  }
  closeProc(fd);
  return text;
}

/** What a descriptor of this process is, such as `anon_inode:[eventpoll]`; empty where it is not open. */
export function readDescriptorLink(fd: number): string {
  const path = cString(`/proc/self/fd/${fd}`, "path");
  const count = procSymbols().readlink(path, scratch, LINK_MAX);
  return count === -1 ? "" : decoder.decode(scratch.subarray(0, count));
}

/** The numbers in a directory such as `/proc/self/fd` or `/proc/self/task`; none where there is no such directory. */
export function listProc(path: string): number[] {
  const fd = openProc(path, O_DIRECTORY);
  const numbers: number[] = [];
  if (fd === -1) return numbers;
  try {
    for (;;) {
      const size = checkValue(
        procSymbols().getdents64(
          BigInt(SYS_getdents64),
          fd,
          scratch,
          BigInt(scratch.length),
        ),
        "getdents64",
        () => `Cannot list ${path}`,
        path,
      );
      if (size === 0) break;
      for (let at = 0; at < size; at += scratchView.getUint16(at + 16, true)) {
        const number = decimalAt(at + 19);
        if (number !== -1) numbers.push(number);
      }
    }
  } finally {
    closeProc(fd);
  }
  return path === "/proc/self/fd" ? numbers.filter((n) => n !== fd) : numbers;
}

/** The NUL-terminated decimal number at an offset of the scratch buffer; -1 for any other name, such as "..". */
function decimalAt(offset: number): number {
  let number = 0;
  for (let at = offset; scratch[at] !== 0; at++) {
    const digit = scratch[at]! - 0x30;
    if (digit < 0 || digit > 9) return -1;
    number = number * 10 + digit;
  }
  return number;
}
