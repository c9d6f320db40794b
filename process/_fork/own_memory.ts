import { descriptorSymbols, procSymbols } from "../../ffi/_symbols.ts";
import { closeProc, openProc, readProc } from "./proc_file.ts";

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
