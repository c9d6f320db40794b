import { cString } from "../ffi/_c_strings.ts";
import { O_CLOEXEC, O_RDONLY, O_WRONLY } from "../ffi/constants.ts";
import { checkValue } from "../ffi/_results.ts";
import { descriptorSymbols } from "../ffi/_symbols.ts";
import { checkThreadName } from "./_fork_plan.ts";

const COMM = "/proc/self/comm";

/**
 * `prctl(PR_SET_NAME, name)` for the main thread: sets the name of the process.
 *
 * It is what `ps -o comm`, `top` and `pstree` show and what `pkill` and `killall` look for; the arguments that `ps -o args`
 * shows stay as they are. In C the call names the calling thread; the name of a process is that of its main thread, and under
 * `deno test` JavaScript does not run there, so it is written to `/proc/self/comm`, which is the same as the call otherwise.
 *
 * A forked child has the name of the thread that has forked, which is this one except under `deno test`; an executed program
 * brings its own.
 *
 * @param name The name: at most 15 bytes of UTF-8. The kernel would cut off the rest, perhaps in the middle of a character.
 * @throws {TypeError} If `name` is no string, or has a NUL in it.
 * @throws {RangeError} If `name` is longer than 15 bytes.
 * @throws {PosixError} `ENOENT` where `/proc` is not mounted.
 *
 * @example A name to be found by
 * ```ts
 * import { getName, setName } from "@posix/process/process";
 * import { assertEquals } from "@std/assert";
 *
 * const before = getName();
 * setName("worker: 工人");
 * assertEquals(getName(), "worker: 工人");
 * setName(before);
 * ```
 *
 * @see {@link https://man7.org/linux/man-pages/man2/PR_SET_NAME.2const.html | PR_SET_NAME(2const)}
 */
export function setName(name: string): void {
  checkThreadName(name);
  // The NUL goes with it: of an empty name there would be nothing to write.
  const bytes = cString(name, "name");
  const action = () => `Cannot set process name to ${JSON.stringify(name)}`;
  withComm(O_WRONLY, action, (fd) => {
    const size = BigInt(bytes.length);
    checkValue(
      descriptorSymbols().write(fd, bytes, size),
      "write",
      action,
      COMM,
    );
  });
}

/**
 * `prctl(PR_GET_NAME)` for the main thread: the name of the process.
 *
 * @returns The name, at most 15 bytes; a byte that is no UTF-8 shows as U+FFFD.
 * @throws {PosixError} `ENOENT` where `/proc` is not mounted.
 *
 * @example The name that a program starts with is its file's
 * ```ts
 * import { getName } from "@posix/process/process";
 * import { assert } from "@std/assert";
 *
 * assert(getName().length > 0); // "deno"
 * ```
 *
 * @see {@link https://man7.org/linux/man-pages/man2/PR_GET_NAME.2const.html | PR_GET_NAME(2const)}
 */
export function getName(): string {
  const action = () => "Cannot get process name";
  const buffer = new Uint8Array(64);
  const count = withComm(O_RDONLY, action, (fd) => {
    const size = BigInt(buffer.length);
    return checkValue(
      descriptorSymbols().read(fd, buffer, size),
      "read",
      action,
      COMM,
    );
  });
  // A newline ends it, and may be in it as well.
  return new TextDecoder().decode(buffer.subarray(0, count - 1));
}

function withComm<T>(
  access: number,
  action: () => string,
  use: (fd: number) => T,
): T {
  const { open, close } = descriptorSymbols();
  const path = cString(COMM, "path");
  const fd = checkValue(
    open(path, access | O_CLOEXEC, 0),
    "open",
    action,
    COMM,
  );
  try {
    return use(fd);
  } finally {
    close(fd);
  }
}
