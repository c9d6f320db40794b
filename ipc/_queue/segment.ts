import { cString } from "../../ffi/_arguments.ts";
import {
  type Action,
  checkErrorNumber,
  checkValue,
  checkZero,
  lastError,
} from "../../ffi/_libc.ts";
import { mapMemory, unmapMemory } from "../../ffi/_memory.ts";
import {
  descriptorSymbols,
  memoryFileSymbols,
  mutexSymbols,
} from "../../ffi/_symbols.ts";
import {
  AT_EMPTY_PATH,
  AT_FDCWD,
  AT_SYMLINK_FOLLOW,
  F_ADD_SEALS,
  F_SEAL_SEAL,
  F_SEAL_SHRINK,
  MAP_SHARED,
  MFD_ALLOW_SEALING,
  MFD_CLOEXEC,
  O_CLOEXEC,
  O_NOFOLLOW,
  O_RDWR,
  O_TMPFILE,
  PROT_READ,
  PROT_WRITE,
  PTHREAD_MUTEX_ROBUST,
  PTHREAD_PROCESS_SHARED,
  S_IFMT,
  S_IFREG,
  STATX_SIZE,
  STATX_TYPE,
} from "../../ffi/constants.ts";
import { ERRNO, PosixError } from "../../ffi/errors.ts";
import { STATX } from "../../ffi/layouts.ts";
import { SHARED_MEMORY_DIRECTORY } from "../memfd.ts";

/**
 * How a queue lies in its file: a page of header, the ring, and beyond it, unmapped, room for items that are large.
 *
 * Three parts of the header have one writer at a time: the producers' side, the consumers' side, and that of the tasks that
 * are done. Each has a lock, a bell and two slots for its state (see `Side`). They stand apart, so that processors that work
 * on one do not take the memory of another away from each other.
 */

/** The first two words: what tells a queue from any other file, and this layout from others. */
const MAGIC = 0x4555_4551;
const VERSION = 1;

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

/** What a new queue is to be like. */
export interface Plan {
  readonly maxsize: number;
  readonly ringBytes: number;
}

/** The file of a queue, and the memory that it is mapped to. */
export class Segment {
  readonly fd: number;
  readonly buffer: ArrayBuffer;

  private constructor(fd: number, buffer: ArrayBuffer) {
    this.fd = fd;
    this.buffer = buffer;
  }

  /** Makes a file that has no name. */
  static anonymous(plan: Plan): Segment {
    const action = () => "Cannot create queue";
    const fd = checkValue(
      memoryFileSymbols().memfd_create(
        cString("queue", "name"),
        MFD_CLOEXEC | MFD_ALLOW_SEALING,
      ),
      "memfd_create",
      action,
    );
    return orClose(fd, () => {
      const segment = create(fd, plan, action);
      // Nobody can cut it short, which would be the death of all who have it mapped.
      checkZero(
        descriptorSymbols().fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_SEAL),
        "fcntl",
        action,
      );
      return segment;
    });
  }

  /**
   * Makes a file under a path, complete before anybody can see it. If there is one: fails with `EEXIST`, or gives `null`.
   */
  static named(
    path: string,
    mode: number,
    plan: Plan,
    exclusive: boolean,
  ): Segment | null {
    const action = () => `Cannot create queue "${path}"`;
    const flags = O_TMPFILE | O_RDWR | O_CLOEXEC;
    const fd = checkValue(
      descriptorSymbols()
        .open(cString(SHARED_MEMORY_DIRECTORY, "path"), flags, mode),
      "shm_open",
      action,
      path,
    );
    let segment: Segment | undefined;
    try {
      segment = create(fd, plan, action);
      const result = memoryFileSymbols().linkat(
        AT_FDCWD,
        cString(`/proc/self/fd/${fd}`, "path"),
        AT_FDCWD,
        cString(path, "name"),
        AT_SYMLINK_FOLLOW,
      );
      if (result === 0) return segment;
      const error = lastError("shm_open", action, path);
      if (exclusive || error.errno !== ERRNO.EEXIST) throw error;
    } catch (error) {
      if (segment !== undefined) unmapMemory(segment.buffer);
      descriptorSymbols().close(fd);
      throw error;
    }
    segment.unmap();
    segment.close();
    return null;
  }

  /** Opens the file under a path; `null` if there is none. */
  static find(path: string): Segment | null {
    const action = () => `Cannot open queue "${path}"`;
    const fd = descriptorSymbols()
      .open(cString(path, "name"), O_RDWR | O_CLOEXEC | O_NOFOLLOW, 0);
    if (fd === -1) {
      const error = lastError("shm_open", action, path);
      if (error.errno === ERRNO.ENOENT) return null;
      throw error;
    }
    return orClose(fd, () => Segment.from(fd, action));
  }

  /** Maps the queue behind a descriptor, which stays open if there is none. */
  static from(
    fd: number,
    action: Action = () => `Cannot use descriptor ${fd} as a queue`,
  ): Segment {
    const size = sizeOf(fd, action);
    const buffer = size < RING ? null : map(fd, RING, action);
    try {
      const ringBytes = buffer === null ? 0 : ringBytesIn(buffer);
      if (buffer === null || ringBytes === 0 || size < RING + ringBytes) {
        throw new PosixError(action(), {
          errno: ERRNO.EINVAL,
          syscall: "mmap",
          detail: "it is none",
        });
      }
      return new Segment(fd, map(fd, RING + ringBytes, action));
    } finally {
      if (buffer !== null) unmapMemory(buffer);
    }
  }

  /** Maps a file that is about to be filled. */
  static empty(fd: number, ringBytes: number, action: Action): Segment {
    return new Segment(fd, map(fd, RING + ringBytes, action));
  }

  /** Closes the file; the memory stays. */
  close(): void {
    descriptorSymbols().close(this.fd);
  }

  /** Lets go of the memory. */
  unmap(): void {
    unmapMemory(this.buffer);
  }
}

function orClose(fd: number, body: () => Segment): Segment {
  try {
    return body();
  } catch (error) {
    descriptorSymbols().close(fd);
    throw error;
  }
}

/** Fills a new file. All of its memory is taken now: where there is none, that is an error here, and no signal later. */
function create(fd: number, plan: Plan, action: Action): Segment {
  const bytes = RING + plan.ringBytes;
  checkErrorNumber(
    memoryFileSymbols().posix_fallocate(fd, 0n, BigInt(bytes)),
    "posix_fallocate",
    action,
  );
  const segment = Segment.empty(fd, plan.ringBytes, action);
  try {
    for (const start of Object.values(SIDE)) {
      initialize(new Uint8Array(segment.buffer, start + LOCK, 64), action);
    }
    const words = new Int32Array(segment.buffer);
    words[WORD.version] = VERSION;
    words[WORD.ringBytes] = plan.ringBytes;
    words[WORD.maxsize] = plan.maxsize;
    words[WORD.magic] = MAGIC;
    return segment;
  } catch (error) {
    unmapMemory(segment.buffer);
    throw error;
  }
}

/** Makes a lock that processes share, and that outlives its owner. */
function initialize(lock: Uint8Array<ArrayBuffer>, action: Action): void {
  const libc = mutexSymbols();
  // A pthread_mutexattr_t has 4 bytes on one architecture and 8 on the other.
  const attributes = new Uint8Array(64);
  const check = (result: number, call: string) =>
    checkErrorNumber(result, call, action);
  check(libc.pthread_mutexattr_init(attributes), "pthread_mutexattr_init");
  check(
    libc.pthread_mutexattr_setpshared(attributes, PTHREAD_PROCESS_SHARED),
    "pthread_mutexattr_setpshared",
  );
  check(
    libc.pthread_mutexattr_setrobust(attributes, PTHREAD_MUTEX_ROBUST),
    "pthread_mutexattr_setrobust",
  );
  check(libc.pthread_mutex_init(lock, attributes), "pthread_mutex_init");
}

function map(fd: number, bytes: number, action: Action): ArrayBuffer {
  return mapMemory(
    fd,
    bytes,
    PROT_READ | PROT_WRITE,
    MAP_SHARED,
    0,
    action,
  );
}

/** How large the ring is; 0 if this is no queue of this version. */
function ringBytesIn(header: ArrayBuffer): number {
  const words = new Int32Array(header, 0, 8);
  const ringBytes = words[WORD.ringBytes]!;
  const known = words[WORD.magic] === MAGIC && words[WORD.version] === VERSION;
  return known && isRingBytes(ringBytes) ? ringBytes : 0;
}

/** The size of a regular file; 0 for anything else. */
function sizeOf(fd: number, action: Action): number {
  const stat = new DataView(new ArrayBuffer(STATX.size));
  checkZero(
    descriptorSymbols().statx(
      fd,
      cString("", "path"),
      AT_EMPTY_PATH,
      STATX_TYPE | STATX_SIZE,
      stat,
    ),
    "statx",
    action,
  );
  const mode = stat.getUint16(STATX.fields.stx_mode, true);
  if ((mode & S_IFMT) !== S_IFREG) return 0;
  return Number(stat.getBigUint64(STATX.fields.stx_size, true));
}
