import {
  checkDescriptor,
  checkName,
  cString,
  describe,
} from "../ffi/_arguments.ts";
import {
  type Action,
  checkValue,
  checkZero,
  errorFor,
  lastError,
} from "../ffi/_libc.ts";
import { descriptorSymbols, memoryFileSymbols } from "../ffi/_symbols.ts";
import {
  AT_EMPTY_PATH,
  AT_FDCWD,
  AT_SYMLINK_FOLLOW,
  F_ADD_SEALS,
  F_DUPFD_CLOEXEC,
  F_GET_SEALS,
  F_SEAL_FUTURE_WRITE,
  F_SEAL_GROW,
  F_SEAL_SEAL,
  F_SEAL_SHRINK,
  F_SEAL_WRITE,
  MFD_ALLOW_SEALING,
  MFD_CLOEXEC,
  O_CLOEXEC,
  O_CREAT,
  O_EXCL,
  O_NOFOLLOW,
  O_RDONLY,
  O_RDWR,
  O_TMPFILE,
  S_IFMT,
  S_IFREG,
  STATX_INO,
  STATX_SIZE,
  STATX_TYPE,
} from "../ffi/constants.ts";
import { ERRNO } from "../ffi/errors.ts";
import { STATX } from "../ffi/layouts.ts";

/** Where the C library keeps named shared memory. */
export const SHARED_MEMORY_DIRECTORY = "/dev/shm/";

/** The longest name of a file. */
const NAME_MAX = 255;

/** How to open a file that is to be mapped. */
interface OpenMemoryFile {
  create: boolean;
  exclusive: boolean;
  mode: number;
}

/** The path of named shared memory: `shm_open` takes the name with or without the slash. */
export function sharedMemoryPath(name: string): string {
  cString(name, "name");
  const bare = name.startsWith("/") ? name.slice(1) : name;
  const { length } = new TextEncoder().encode(bare);
  if (
    length === 0 || length > NAME_MAX || bare.includes("/") ||
    bare === "." || bare === ".."
  ) {
    throw new TypeError(
      `'name' must be the name of a file, without further slashes, of at most ${NAME_MAX} bytes: current value is ${
        describe(name)
      }`,
    );
  }
  return SHARED_MEMORY_DIRECTORY + bare;
}

/** Opens a file for a mapping. */
export function openMemoryFile(
  path: string,
  { create, exclusive, mode }: OpenMemoryFile,
  writable: boolean,
  action: Action,
): number {
  const flags = (writable ? O_RDWR : O_RDONLY) | O_CLOEXEC |
    (create ? O_CREAT : 0) | (exclusive ? O_EXCL : 0);
  const cPath = cString(path, "path");
  return checkValue(
    descriptorSymbols().open(cPath, flags, mode),
    "open",
    action,
    path,
  );
}

/**
 * Opens named shared memory as `shm_open` does, which older versions of glibc keep in a library of its own.
 *
 * What is created appears under its name only when it has its full size, so that nobody ever maps half of it.
 */
export function openNamedMemory(
  path: string,
  bytes: number | undefined,
  { create, exclusive, mode }: OpenMemoryFile,
  action: Action,
): number {
  const cPath = cString(path, "path");
  for (;;) {
    if (!exclusive) {
      const fd = descriptorSymbols()
        .open(cPath, O_RDWR | O_CLOEXEC | O_NOFOLLOW, 0);
      if (fd !== -1) return fd;
      const error = lastError("shm_open", action, path);
      if (!create || error.errno !== ERRNO.ENOENT) throw error;
    }
    const fd = checkValue(
      descriptorSymbols().open(
        cString(SHARED_MEMORY_DIRECTORY, "path"),
        O_RDWR | O_CLOEXEC | O_TMPFILE,
        mode,
      ),
      "shm_open",
      action,
      path,
    );
    try {
      reserve(fd, 0, bytes!, action, path);
      if (link(fd, cPath, path, exclusive, action)) return fd;
    } catch (error) {
      descriptorSymbols().close(fd);
      throw error;
    }
    // Somebody was faster: theirs it is.
    descriptorSymbols().close(fd);
  }
}

/** Gives a nameless file its name; false if that is taken by now and need not be ours. */
function link(
  fd: number,
  cPath: Uint8Array<ArrayBuffer>,
  path: string,
  exclusive: boolean,
  action: Action,
): boolean {
  const source = cString(`/proc/self/fd/${fd}`, "path");
  const result = memoryFileSymbols()
    .linkat(AT_FDCWD, source, AT_FDCWD, cPath, AT_SYMLINK_FOLLOW);
  if (result === 0) return true;
  const error = lastError("shm_open", action, path);
  if (error.errno === ERRNO.EEXIST && !exclusive) return false;
  throw error;
}

/** A descriptor of our own for an open file. */
export function duplicate(fd: number, action: Action): number {
  return checkValue(
    descriptorSymbols().fcntl(fd, F_DUPFD_CLOEXEC, 0),
    "fcntl",
    action,
  );
}

/** The size and the number of a regular file; no other kind can be mapped and resized. */
export function regularFile(
  file: number | string,
  action: Action,
): { size: number; inode: bigint } {
  const status = new DataView(new ArrayBuffer(STATX.size));
  const mask = STATX_TYPE | STATX_SIZE | STATX_INO;
  const { statx } = descriptorSymbols();
  checkZero(
    typeof file === "number"
      ? statx(file, cString("", "path"), AT_EMPTY_PATH, mask, status)
      : statx(AT_FDCWD, cString(file, "path"), 0, mask, status),
    "statx",
    action,
    ...(typeof file === "string" ? [file] : []),
  );
  const kind = status.getUint16(STATX.fields.stx_mode, true) & S_IFMT;
  if (kind !== S_IFREG) throw errorFor(ERRNO.ENODEV, "mmap", action);
  return {
    size: Number(status.getBigUint64(STATX.fields.stx_size, true)),
    inode: status.getBigUint64(STATX.fields.stx_ino, true),
  };
}

/** Makes a file at least that long, with all of the new part on the disk or in memory: what is not there gives SIGBUS when touched. */
export function reserve(
  fd: number,
  from: number,
  to: number,
  action: Action,
  path?: string,
): void {
  for (;;) {
    const errno = memoryFileSymbols()
      .posix_fallocate(fd, BigInt(from), BigInt(to - from));
    if (errno === 0) return;
    if (errno === ERRNO.EINTR) continue;
    throw errorFor(errno, "posix_fallocate", action, path);
  }
}

/** Gives a file a size, without taking anything for what is new. */
export function truncate(fd: number, bytes: number, action: Action): void {
  checkZero(
    memoryFileSymbols().ftruncate(fd, BigInt(bytes)),
    "ftruncate",
    action,
  );
}

/** What a file in memory can be kept from: to `"shrink"`, to `"grow"`, to be written (`"write"`), or by those to come (`"future-write"`), and to be sealed further (`"seal"`). */
export type Seal = "shrink" | "grow" | "write" | "future-write" | "seal";

const SEALS: Readonly<Record<Seal, number>> = {
  "shrink": F_SEAL_SHRINK,
  "grow": F_SEAL_GROW,
  "write": F_SEAL_WRITE,
  "future-write": F_SEAL_FUTURE_WRITE,
  "seal": F_SEAL_SEAL,
};
const NAMES = Object.keys(SEALS) as Seal[];

/**
 * `memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING)`: makes an empty file that is in memory alone, and under no path.
 *
 * It is gone with its last descriptor and mapping. Forked children inherit it, other processes get it over a socket. For memory
 * that is ready to be used, see {@linkcode SharedMemory.anonymous}; {@linkcode SharedMemory.map} maps a descriptor.
 *
 * @param name What /proc shows for it, of at most 249 bytes; several files may have the same.
 * @returns The descriptor, open for reading and writing, close-on-exec. It stays open until {@linkcode close}.
 * @throws {PosixError} `EINVAL` if the name is too long; `EMFILE` if the process has no descriptor left.
 *
 * @example A file without a path
 * ```ts
 * import { close, memfdCreate, writeAll } from "@posix/process/ipc";
 * import { assert } from "@std/assert";
 *
 * const fd = memfdCreate("notes");
 * assert(fd >= 0);
 * writeAll(fd, "nobody else sees this");
 * close(fd);
 * ```
 *
 * @see {@link https://man7.org/linux/man-pages/man2/memfd_create.2.html | memfd_create(2)}
 */
export function memfdCreate(name: string): number {
  const cName = cString(name, "name");
  return checkValue(
    memoryFileSymbols().memfd_create(cName, MFD_CLOEXEC | MFD_ALLOW_SEALING),
    "memfd_create",
    () => `Cannot create memory file ${describe(name)}`,
  );
}

/**
 * `fcntl(fd, F_ADD_SEALS, seals)`: keeps a file in memory from being changed, for good and for everybody.
 *
 * Whoever maps a file that is sealed against shrinking need not fear that somebody cuts it short under the mapping.
 *
 * @param fd A descriptor of {@linkcode memfdCreate} or {@linkcode SharedMemory.anonymous}.
 * @param seals What is forbidden from now on, besides what was before.
 * @throws {TypeError} If a seal is unknown.
 * @throws {PosixError} `EBUSY` for `"write"` while the file is mapped for writing; `EPERM` if it is sealed against seals, or the
 * descriptor is not open for writing; `EINVAL` if it is no file in memory; `EBADF` if the descriptor is not open.
 *
 * @example No more, no less
 * ```ts
 * import { addSeals, getSeals, SharedMemory } from "@posix/process/ipc";
 * import { assertEquals, assertThrows } from "@std/assert";
 *
 * using memory = SharedMemory.anonymous(4096);
 * addSeals(memory.fd, ["shrink", "grow"]);
 * assertEquals(getSeals(memory.fd), ["shrink", "grow"]);
 * assertThrows(() => memory.resize(8192), Error, "EPERM");
 * ```
 *
 * @see {@link https://man7.org/linux/man-pages/man2/F_ADD_SEALS.2const.html | F_ADD_SEALS(2const)}
 */
export function addSeals(fd: number, seals: readonly Seal[]): void {
  checkDescriptor(fd);
  let mask = 0;
  for (const seal of seals) mask |= SEALS[checkName(seal, "seals", NAMES)];
  checkZero(
    descriptorSymbols().fcntl(fd, F_ADD_SEALS, mask),
    "fcntl",
    () => `Cannot seal descriptor ${fd}`,
  );
}

/**
 * `fcntl(fd, F_GET_SEALS)`: what a file in memory is kept from.
 *
 * @param fd A descriptor of {@linkcode memfdCreate} or {@linkcode SharedMemory.anonymous}.
 * @returns The seals.
 * @throws {PosixError} `EINVAL` if it is no file in memory; `EBADF` if the descriptor is not open.
 *
 * @example A file that nobody has sealed
 * ```ts
 * import { close, getSeals, memfdCreate } from "@posix/process/ipc";
 * import { assertEquals } from "@std/assert";
 *
 * const fd = memfdCreate("notes");
 * assertEquals(getSeals(fd), []);
 * close(fd);
 * ```
 *
 * @see {@link https://man7.org/linux/man-pages/man2/F_GET_SEALS.2const.html | F_GET_SEALS(2const)}
 */
export function getSeals(fd: number): Seal[] {
  checkDescriptor(fd);
  const mask = checkValue(
    descriptorSymbols().fcntl(fd, F_GET_SEALS, 0),
    "fcntl",
    () => `Cannot get the seals of descriptor ${fd}`,
  );
  return NAMES.filter((seal) => (mask & SEALS[seal]) !== 0);
}
