import { checkDescriptor, checkName, describe } from "../ffi/_arguments.ts";
import { cString } from "../ffi/_c_strings.ts";
import { checkValue, checkZero } from "../ffi/_results.ts";
import { descriptorSymbols, memoryFileSymbols } from "../ffi/_symbols.ts";
import {
  F_ADD_SEALS,
  F_GET_SEALS,
  F_SEAL_FUTURE_WRITE,
  F_SEAL_GROW,
  F_SEAL_SEAL,
  F_SEAL_SHRINK,
  F_SEAL_WRITE,
  MFD_ALLOW_SEALING,
  MFD_CLOEXEC,
} from "../ffi/constants.ts";

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
