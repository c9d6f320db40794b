/**
 * How a queue lies in its file: a page of header, the ring, and beyond it, unmapped, room for items that are large.
 *
 * Three parts of the header have one writer at a time: the producers' side, the consumers' side, and that of the tasks that
 * are done. Each has a lock, a bell and two slots for its state (see `Side`). They stand apart, so that processors that work
 * on one do not take the memory of another away from each other.
 */

/** The first two words: what tells a queue from any other file, and this layout from others. */
export const MAGIC = 0x4555_4551;
export const VERSION = 1;

/** Where the words are that never change, as indexes of an `Int32Array`. */
export const WORD = { magic: 0, version: 1, ringBytes: 2, maxsize: 3 } as const;

/** Where each side begins, in bytes. */
export const SIDE = { producers: 512, consumers: 1024, tasks: 1536 } as const;

/** Where in a side what is, in bytes. The lock is the `pthread_mutex_t` of libc, of 40 or 48 bytes. */
export const LOCK = 0;
export const BELL = 128;
export const SLOTS = 192;
export const SLOT_BYTES = 32;

/** Where the ring begins, in bytes. */
export const RING = 4096;

/** Whether a ring may have so many bytes: a power of two, so that positions can run on over all 32 bits. */
export function isRingBytes(bytes: number): boolean {
  return Number.isInteger(bytes) && bytes >= 4096 && bytes <= 1 << 30 &&
    (bytes & (bytes - 1)) === 0;
}

/** Large items begin at multiples of this many bytes: no page is larger, and only whole pages can be given back. */
export const UNIT = 65_536;

/** A record begins with two words, the bytes of its content and its kind, and fills a multiple of this many bytes. */
export const HEAD = 8;

/** What a record takes in the ring. */
export function recordBytes(contentBytes: number): number {
  return (contentBytes + HEAD + 7) & ~7;
}

/** Where the room for large items begins in the file. */
export function largeBase(ringBytes: number): number {
  return Math.ceil((RING + ringBytes) / UNIT) * UNIT;
}

/** How much of it is filled at most, in units: as much as sixteen rings, or else one item alone. A power of two. */
export function largeUnits(ringBytes: number): number {
  return Math.max(1, (ringBytes * 16) / UNIT);
}
