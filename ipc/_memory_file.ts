import { describe } from "../ffi/_arguments.ts";
import { cString } from "../ffi/_c_strings.ts";
import {
  AT_EMPTY_PATH,
  AT_FDCWD,
  AT_SYMLINK_FOLLOW,
  F_DUPFD_CLOEXEC,
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
import { ERRNO } from "../ffi/errno.ts";
import { STATX } from "../ffi/layouts.ts";
import {
  type Action,
  checkValue,
  checkZero,
  errorFor,
  lastError,
} from "../ffi/_results.ts";
import { descriptorSymbols, memoryFileSymbols } from "../ffi/_symbols.ts";

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
