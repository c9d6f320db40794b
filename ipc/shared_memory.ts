import {
  checkBoolean,
  checkDescriptor,
  checkInteger,
  checkMode,
  checkName,
  checkSize,
  checkString,
  cString,
  describe,
} from "../ffi/_arguments.ts";
import {
  MAP_PRIVATE,
  MAP_SHARED,
  MS_SYNC,
  PROT_NONE,
  PROT_READ,
  PROT_WRITE,
} from "../ffi/constants.ts";
import { ERRNO } from "../ffi/errors.ts";
import {
  mapMemory,
  protectMemory,
  syncMemory,
  unmapMemory,
} from "../ffi/_memory.ts";
import { type Action, checkZero, errorFor } from "../ffi/_libc.ts";
import { descriptorSymbols } from "../ffi/_symbols.ts";
import {
  duplicate,
  memfdCreate,
  openMemoryFile,
  openNamedMemory,
  regularFile,
  reserve,
  sharedMemoryPath,
  truncate,
} from "./memfd.ts";

/** Options for {@linkcode SharedMemory.open}. */
export interface SharedMemoryOpenOptions {
  /**
   * How many bytes to map; what is created has this size.
   *
   * @default The whole of what is there
   */
  bytes?: number;
  /**
   * Create it if it is not there. Needs `bytes`.
   *
   * @default false
   */
  create?: boolean;
  /**
   * With `create`: fail with `EEXIST` if it is there.
   *
   * @default false
   */
  exclusive?: boolean;
  /**
   * The permission bits of what is created, less the umask.
   *
   * @default 0o600
   */
  mode?: number;
}

/** Options for {@linkcode SharedMemory.map}. */
export interface SharedMemoryMapOptions extends SharedMemoryOpenOptions {
  /**
   * Where in the file the memory begins: a multiple of the size of a page, 4096 bytes on most machines.
   *
   * @default 0
   */
  offset?: number;
  /**
   * Make the file as long as it takes for `bytes`; `create` does so as well.
   *
   * @default false
   */
  grow?: boolean;
  /**
   * Share nothing: a file that is open for reading will do, and what is written to memory goes nowhere else.
   *
   * @default false
   */
  private?: boolean;
}

/** What may be done with memory: nothing, only reading, or everything. */
export type MemoryProtection = "none" | "read" | "read-write";

const PROTECTIONS: Readonly<Record<MemoryProtection, number>> = {
  "none": PROT_NONE,
  "read": PROT_READ,
  "read-write": PROT_READ | PROT_WRITE,
};

interface Origin {
  /** Owned by the memory. */
  fd: number;
  bytes: number;
  offset?: number;
  path?: string;
  /** Whether nothing is shared, and so nothing can be resized. */
  own?: boolean;
  /** Whether pages are taken when they are touched, as for memory that has no file system to fill up. */
  sparse?: boolean;
  action: Action;
}

/**
 * `mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd, offset)`: memory that processes have in common.
 *
 * What one writes to {@linkcode SharedMemory.prototype.buffer | SharedMemory.buffer} the others see at once, through
 * typed arrays and `Atomics` like any other. A forked child shares it with its parent. {@linkcode Mutex} and the other
 * locks keep processes from getting in each other's way, and can lie in such memory.
 *
 * After {@linkcode SharedMemory.prototype.close | SharedMemory.close} the buffer is detached: typed arrays over it have
 * length 0, and `Atomics` throw. But where somebody makes the *file* shorter than the memory, the kernel ends whoever
 * touches the lost part by SIGBUS; so the size is checked before mapping, and memory that comes from strangers is best
 * sealed ({@linkcode addSeals}).
 *
 * It needs `--allow-ffi` without a list of paths, since it makes buffers of addresses.
 *
 * @example Parent and child
 * ```ts
 * import { SharedMemory } from "@posix/process/ipc";
 * import { _exit, fork } from "@posix/process/process";
 * import { waitpid } from "@posix/process/wait";
 * import { assertEquals } from "@std/assert";
 *
 * using memory = SharedMemory.anonymous(4096);
 * const numbers = new Int32Array(memory.buffer);
 * const pid = fork();
 * if (pid === 0) {
 *   numbers[0] = 42;
 *   _exit(0);
 * }
 * waitpid(pid);
 * assertEquals(numbers[0], 42);
 * ```
 *
 * @see {@link https://man7.org/linux/man-pages/man2/mmap.2.html | mmap(2)}
 * @see {@link https://man7.org/linux/man-pages/man7/shm_overview.7.html | shm_overview(7)}
 */
export class SharedMemory implements Disposable {
  readonly #origin: Origin;
  #buffer: ArrayBuffer;
  #protection: MemoryProtection = "read-write";
  #closed = false;

  /**
   * Maps what has been opened.
   *
   * @param origin The open file, and how to map it.
   */
  private constructor(origin: Origin) {
    this.#origin = origin;
    this.#buffer = this.#map(origin.bytes);
  }

  /**
   * `memfd_create` and `mmap`: makes memory without a name, filled with zeros, for this process and those that it forks.
   *
   * Another process can be given {@linkcode SharedMemory.prototype.fd | SharedMemory.fd} over a socket. Pages are taken
   * as they are touched.
   *
   * @param bytes Its size.
   * @returns The memory, mapped until {@linkcode SharedMemory.prototype.close | SharedMemory.close}.
   * @throws {RangeError} If the size is not a positive integer.
   * @throws {PosixError} `ENOMEM` if the address space is too small; `EMFILE` if the process has no descriptor left.
   *
   * @example Zeros
   * ```ts
   * import { SharedMemory } from "@posix/process/ipc";
   * import { assertEquals } from "@std/assert";
   *
   * using memory = SharedMemory.anonymous(1_000_000);
   * assertEquals(new Uint8Array(memory.buffer).at(-1), 0);
   * ```
   */
  static anonymous(bytes: number): SharedMemory {
    checkInteger(bytes, "bytes", 1, Number.MAX_SAFE_INTEGER);
    const action = () => `Cannot make ${bytes} bytes of shared memory`;
    const fd = memfdCreate("shared-memory");
    return prepared(fd, () => {
      truncate(fd, bytes, action);
      return new SharedMemory({ fd, bytes, sparse: true, action });
    });
  }

  /**
   * `open(path, …)`, `mmap`: maps a file.
   *
   * What is written to memory is written to the file: when the kernel comes to it, or at
   * {@linkcode SharedMemory.prototype.sync | SharedMemory.sync}.
   *
   * @param file A path; or a descriptor, which stays the caller's and may be closed at once.
   * @param options How much of it, and whether to make it.
   * @returns The memory, mapped until {@linkcode SharedMemory.prototype.close | SharedMemory.close}.
   * @throws {TypeError} If the options contradict each other or what they apply to.
   * @throws {RangeError} If a number is out of range, or the file is shorter than `bytes` and not to grow.
   * @throws {PosixError} `ENOENT` if the file is not there; `EEXIST` if it is, with `exclusive`; `EACCES` if permission is lacking;
   * `EINVAL` if it is empty, or the offset is not that of a page; `ENODEV` if it is no regular file; `ENOSPC` if the disk is full.
   *
   * @example A file through memory
   * ```ts
   * import { SharedMemory } from "@posix/process/ipc";
   * import { assertEquals } from "@std/assert";
   *
   * const path = `/tmp/example-map-${crypto.randomUUID()}`;
   * using memory = SharedMemory.map(path, { create: true, bytes: 4096 });
   * memory.unlink(); // it stays, under no name
   * new TextEncoder().encodeInto("written", new Uint8Array(memory.buffer));
   * memory.sync();
   * using again = SharedMemory.map(memory.fd);
   * const bytes = new Uint8Array(again.buffer, 0, 7);
   * assertEquals(new TextDecoder().decode(bytes), "written");
   * ```
   */
  static map(
    file: string | number,
    options: SharedMemoryMapOptions = {},
  ): SharedMemory {
    const { bytes, offset = 0, grow = false } = options;
    const { private: own = false } = options;
    const how = checkOptions(options);
    checkSize(offset, "options.offset");
    checkBoolean(grow, "options.grow");
    checkBoolean(own, "options.private");
    if (typeof file === "number") checkDescriptor(file, "file");
    else checkString(file, "file");
    if (how.create && typeof file === "number") {
      throw new TypeError("'options.create' must go with a path");
    }
    if (own && (grow || how.create)) {
      throw new TypeError(
        "'options.private' must not go with 'create' or 'grow'",
      );
    }
    if (grow && bytes === undefined) {
      throw new TypeError("'options.grow' must go with 'bytes'");
    }
    const action = () =>
      `Cannot map ${
        typeof file === "number" ? `descriptor ${file}` : describe(file)
      }`;
    const path = typeof file === "string" ? file : undefined;
    const fd = typeof file === "number"
      ? duplicate(file, action)
      : openMemoryFile(file, how, !own, action);
    return prepared(fd, () => {
      const { size } = regularFile(fd, action);
      const end = bytes === undefined ? size : offset + bytes;
      if (end > size) {
        if (!grow && !how.create) {
          throw new RangeError(
            `'options.bytes' must be at most ${
              Math.max(0, size - offset)
            }, all that the file has: current value is ${bytes}`,
          );
        }
        reserve(fd, size, end, action, path);
      }
      if (end <= offset) throw errorFor(ERRNO.EINVAL, "mmap", action, path);
      return new SharedMemory({
        fd,
        bytes: end - offset,
        offset,
        ...(path === undefined ? {} : { path }),
        own,
        action,
      });
    });
  }

  /**
   * `shm_open(name, …)`, `mmap`: opens shared memory by a name that any process of the machine can use.
   *
   * It lies in /dev/shm, and lasts until {@linkcode SharedMemory.prototype.unlink | SharedMemory.unlink}, whoever ends.
   * What is created is filled with zeros, has its full size before anybody can open it, and its memory is set aside at
   * once.
   *
   * @param name The name of a file; a slash in front of it makes no difference.
   * @param options Whether to create it, and its size.
   * @returns The memory, mapped until {@linkcode SharedMemory.prototype.close | SharedMemory.close}.
   * @throws {TypeError} If the name is not one of a file, or the options contradict each other.
   * @throws {RangeError} If a number is out of range, or more is asked for than there is.
   * @throws {PosixError} `ENOENT` if it is not there; `EEXIST` if it is, with `exclusive`; `EACCES` if permission is lacking;
   * `ENOSPC` if /dev/shm is full.
   *
   * @example Meeting under a name
   * ```ts
   * import { SharedMemory } from "@posix/process/ipc";
   * import { assertEquals } from "@std/assert";
   *
   * const name = `example-${crypto.randomUUID()}`;
   * using mine = SharedMemory.open(name, { create: true, bytes: 4096 });
   * using theirs = SharedMemory.open(name);
   * mine.unlink();
   * new Uint8Array(mine.buffer)[0] = 42;
   * assertEquals(new Uint8Array(theirs.buffer)[0], 42);
   * ```
   */
  static open(
    name: string,
    options: SharedMemoryOpenOptions = {},
  ): SharedMemory {
    const path = sharedMemoryPath(name);
    const { bytes } = options;
    const how = checkOptions({ mode: 0o600, ...options });
    const action = () => `Cannot open shared memory ${describe(name)}`;
    const fd = openNamedMemory(path, bytes, how, action);
    return prepared(fd, () => {
      const { size } = regularFile(fd, action);
      if (bytes !== undefined && bytes > size) {
        throw new RangeError(
          `'options.bytes' must be at most ${size}, all that is there: current value is ${bytes}`,
        );
      }
      if (size === 0) throw errorFor(ERRNO.EINVAL, "mmap", action, path);
      return new SharedMemory({ fd, bytes: bytes ?? size, path, action });
    });
  }

  /**
   * The memory. Another one after each {@linkcode SharedMemory.prototype.resize | SharedMemory.resize}; the one before is
   * then detached. Throws a `TypeError` after {@linkcode SharedMemory.prototype.close | SharedMemory.close}.
   */
  get buffer(): ArrayBuffer {
    this.#check("use");
    return this.#buffer;
  }

  /** The size of the memory in bytes; 0 once it is closed. */
  get byteLength(): number {
    return this.#buffer.byteLength;
  }

  /**
   * The descriptor of the file that is mapped, close-on-exec. It is the memory's own: nobody else is to close it. Throws a
   * `TypeError` after {@linkcode SharedMemory.prototype.close | SharedMemory.close}.
   */
  get fd(): number {
    this.#check("use");
    return this.#origin.fd;
  }

  /** Whether {@linkcode SharedMemory.prototype.close | SharedMemory.close} was called. */
  get closed(): boolean {
    return this.#closed;
  }

  /**
   * `ftruncate(fd, bytes)`, `mmap`: gives the file another size, and maps it anew.
   *
   * The buffer used so far is detached. Others go on with what they have mapped, and see more of it by a `resize` of their own;
   * if the file gets shorter, they must not touch what is cut off.
   *
   * @param bytes The new size of the memory.
   * @throws {RangeError} If the size is not a positive integer.
   * @throws {TypeError} If the memory is closed, or private.
   * @throws {PosixError} `EPERM` if the file is sealed against it; `ENOSPC` if the disk is full; `ENOMEM` if the address space is
   * too small. The memory is then as before.
   *
   * @example Growing
   * ```ts
   * import { SharedMemory } from "@posix/process/ipc";
   * import { assertEquals } from "@std/assert";
   *
   * using memory = SharedMemory.anonymous(4096);
   * new Uint8Array(memory.buffer)[0] = 42;
   * memory.resize(1_000_000);
   * assertEquals(memory.byteLength, 1_000_000);
   * assertEquals(new Uint8Array(memory.buffer)[0], 42);
   * ```
   */
  resize(bytes: number): void {
    checkInteger(bytes, "bytes", 1, Number.MAX_SAFE_INTEGER);
    this.#check("resize");
    const { fd, offset = 0, own, sparse, path } = this.#origin;
    if (own) throw new TypeError("Cannot resize private memory");
    const action = () => `Cannot resize shared memory to ${bytes} bytes`;
    const { size } = regularFile(fd, action);
    const end = offset + bytes;
    if (end > size) {
      if (sparse) truncate(fd, end, action);
      else reserve(fd, size, end, action, path);
    }
    const buffer = this.#map(bytes, action);
    try {
      protectMemory(buffer, PROTECTIONS[this.#protection]);
      if (bytes < this.#buffer.byteLength && end < size) {
        truncate(fd, end, action);
      }
    } catch (error) {
      unmapMemory(buffer);
      throw error;
    }
    unmapMemory(this.#buffer);
    this.#buffer = buffer;
  }

  /**
   * `msync(address, bytes, MS_SYNC)`: has everything that was written to memory written to its file, and waits until that is done.
   *
   * Blocks the thread, event loop included. For other processes' sake it is not needed: they see what is in memory.
   *
   * @throws {TypeError} If the memory is closed.
   * @throws {PosixError} `EIO` if the disk fails.
   *
   * @example On the disk
   * ```ts
   * import { SharedMemory } from "@posix/process/ipc";
   * import { assertEquals } from "@std/assert";
   *
   * const path = `/tmp/example-sync-${crypto.randomUUID()}`;
   * using memory = SharedMemory.map(path, { create: true, bytes: 10 });
   * new Uint8Array(memory.buffer).fill(1);
   * memory.sync();
   * assertEquals(memory.byteLength, 10);
   * memory.unlink();
   * ```
   */
  sync(): void {
    this.#check("sync");
    syncMemory(this.#buffer, MS_SYNC);
  }

  /**
   * `mprotect(address, bytes, protection)`: sets what this process may do with the memory.
   *
   * Whoever does what is not allowed is ended by SIGSEGV, as in C: there is no exception to catch.
   *
   * @param protection What is allowed from now on.
   * @throws {TypeError} If the memory is closed, or the protection unknown.
   * @throws {PosixError} `EACCES` if the file is not open for writing.
   *
   * @example Only to read
   * ```ts
   * import { SharedMemory } from "@posix/process/ipc";
   * import { assertEquals } from "@std/assert";
   *
   * using memory = SharedMemory.anonymous(4096);
   * new Uint8Array(memory.buffer)[0] = 42;
   * memory.protect("read");
   * assertEquals(new Uint8Array(memory.buffer)[0], 42);
   * ```
   */
  protect(protection: MemoryProtection): void {
    const names = Object.keys(PROTECTIONS) as MemoryProtection[];
    checkName(protection, "protection", names);
    this.#check("protect");
    protectMemory(this.#buffer, PROTECTIONS[protection]);
    this.#protection = protection;
  }

  /**
   * `munmap(address, bytes)`: lets go of the memory in this process; twice without harm.
   *
   * The buffer is detached. What others have of it stays, and so does its name.
   *
   * @throws {PosixError} If the memory cannot be unmapped, which does not happen to memory that was mapped here.
   *
   * @example Using it afterwards
   * ```ts
   * import { SharedMemory } from "@posix/process/ipc";
   * import { assertEquals, assertThrows } from "@std/assert";
   *
   * const memory = SharedMemory.anonymous(4096);
   * const numbers = new Int32Array(memory.buffer);
   * memory.close();
   * assertEquals(numbers.length, 0);
   * assertThrows(() => Atomics.load(numbers, 0), TypeError);
   * assertThrows(() => memory.buffer, TypeError, "it is closed");
   * ```
   */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    unmapMemory(this.#buffer);
    descriptorSymbols().close(this.#origin.fd);
  }

  /**
   * `shm_unlink(name)`, `unlink(path)`: removes the name; the memory stays until all who have mapped it let go.
   *
   * A name that belongs to another file by now is left alone.
   *
   * @throws {TypeError} If the memory has no name, or is closed.
   * @throws {PosixError} `ENOENT` if the name is gone, or another's; `EACCES` if permission is lacking.
   *
   * @example Memory that nobody else can find
   * ```ts
   * import { SharedMemory } from "@posix/process/ipc";
   * import { assertThrows } from "@std/assert";
   *
   * const name = `example-${crypto.randomUUID()}`;
   * using memory = SharedMemory.open(name, { create: true, bytes: 4096 });
   * memory.unlink();
   * assertThrows(() => SharedMemory.open(name), Error, "ENOENT");
   * ```
   */
  unlink(): void {
    this.#check("unlink");
    const { path, fd } = this.#origin;
    if (path === undefined) {
      throw new TypeError("Cannot unlink shared memory that has no name");
    }
    const action = () => `Cannot unlink ${describe(path)}`;
    if (regularFile(path, action).inode !== regularFile(fd, action).inode) {
      throw errorFor(ERRNO.ENOENT, "unlink", action, path);
    }
    const result = descriptorSymbols().unlink(cString(path, "path"));
    checkZero(result, "unlink", action, path);
  }

  /** Closes the memory. */
  [Symbol.dispose](): void {
    this.close();
  }

  #check(what: string): void {
    if (!this.#closed) return;
    throw new TypeError(`Cannot ${what} shared memory: it is closed`);
  }

  #map(bytes: number, action: Action = this.#origin.action): ArrayBuffer {
    const { fd, offset = 0, own } = this.#origin;
    return mapMemory(
      fd,
      bytes,
      PROT_READ | PROT_WRITE,
      own ? MAP_PRIVATE : MAP_SHARED,
      offset,
      action,
    );
  }
}

/** Makes something of an open descriptor, or closes it. */
function prepared(fd: number, make: () => SharedMemory): SharedMemory {
  let made: SharedMemory | undefined;
  try {
    return made = make();
  } finally {
    if (made === undefined) descriptorSymbols().close(fd);
  }
}

function checkOptions(
  { bytes, create = false, exclusive = false, mode = 0o666 }:
    SharedMemoryOpenOptions,
): { create: boolean; exclusive: boolean; mode: number } {
  if (bytes !== undefined) {
    checkInteger(bytes, "options.bytes", 1, Number.MAX_SAFE_INTEGER);
  }
  checkBoolean(create, "options.create");
  checkBoolean(exclusive, "options.exclusive");
  checkMode(mode, "options.mode");
  if (exclusive && !create) {
    throw new TypeError("'options.exclusive' must go with 'create'");
  }
  if (create && bytes === undefined) {
    throw new TypeError("'options.create' must go with 'bytes'");
  }
  return { create, exclusive, mode };
}
