import { cString } from "../../ffi/_arguments.ts";
import {
  markOwnDescriptor,
  unmarkOwnDescriptor,
} from "../../ffi/_deno_core.ts";
import { checkValue, lastError } from "../../ffi/_libc.ts";
import { descriptorSymbols, procSymbols } from "../../ffi/_symbols.ts";
import {
  O_CLOEXEC,
  O_DIRECTORY,
  O_RDONLY,
  SYS_getdents64,
} from "../../ffi/constants.ts";
import { ERRNO } from "../../ffi/errors.ts";

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

/** One mapping of this process: a line of `/proc/self/maps`. */
export interface Mapping {
  readonly start: bigint;
  readonly end: bigint;
  /** What may be done with it, such as `rw-p`. */
  readonly permissions: string;
  /** The file that it shows; 0 where there is none. */
  readonly inode: number;
  /** The path of that file, or what the kernel calls it, such as `[heap]`; empty where it has no name. */
  readonly name: string;
}

const LINE =
  /^([0-9a-f]+)-([0-9a-f]+) (\S+) [0-9a-f]+ [0-9a-f]+:[0-9a-f]+ (\d+) *(.*)$/gm;

/** What is mapped now, lowest first. */
export function mappings(): Mapping[] {
  return readProc("/proc/self/maps").matchAll(LINE).map((
    [, start, end, permissions, inode, name],
  ) => ({
    start: BigInt(`0x${start}`),
    end: BigInt(`0x${end}`),
    permissions: permissions!,
    inode: Number(inode),
    name: name!,
  })).toArray();
}

const chunk = new Uint32Array(new ArrayBuffer(1 << 16));
const chunkBytes = new Uint8Array(chunk.buffer);

/** The memory of this process, read and written as a file: an address that is none gives an error, and no fault. */
export class OwnMemory {
  readonly #fd: number;

  /** Opens it for reading, or as the flags say. */
  constructor(flags = 0) {
    this.#fd = openProc("/proc/self/mem", flags);
  }

  /** Reads as much as there is room for; gives false where not all of it is there. */
  read(into: Uint8Array<ArrayBuffer>, address: bigint): boolean {
    return this.#read(into, address) === into.length;
  }

  /** Writes at an address; gives false where not all of it could be written. */
  write(bytes: Uint8Array<ArrayBuffer>, address: bigint): boolean {
    const { lseek, write } = descriptorSymbols();
    lseek(this.#fd, address, 0);
    return write(this.#fd, bytes, BigInt(bytes.length)) === bytes.length;
  }

  /**
   * Has `look` go through a mapping piece by piece, for something that takes `width` words of four bytes, a multiple of four. It is
   * given the words, how many of them something may begin at, and the address of the first, which is as aligned as the mapping's
   * is. The pieces overlap by the width, so that nothing is lost at a border, and nothing seen twice.
   */
  scan(
    { start, end }: Mapping,
    width: number,
    look: (words: Uint32Array, length: number, address: bigint) => void,
  ): void {
    const step = chunk.length - width;
    for (let at = start; at < end; at += BigInt(step * 4)) {
      const size = Math.min(chunkBytes.length, Number(end - at));
      const count = this.#read(chunkBytes.subarray(0, size), at) >> 2;
      look(chunk, Math.min(step, count - width + 1), at);
    }
  }

  /** Closes it. */
  close(): void {
    closeProc(this.#fd);
  }

  #read(into: Uint8Array<ArrayBuffer>, address: bigint): number {
    return procSymbols().pread(this.#fd, into, BigInt(into.length), address);
  }
}
