import { checkBoolean, checkDescriptor } from "../ffi/_arguments.ts";
import { F_GETFD, F_SETFD, FD_CLOEXEC } from "../ffi/constants.ts";
import { setFlag } from "./_set_flag.ts";

/**
 * `fcntl(fd, F_SETFD, …)`: switches close-on-exec.
 *
 * The flag belongs to this descriptor alone: its duplicates have one of their own.
 *
 * @param fd The descriptor.
 * @param on `true` to close it when a program is executed, `false` to let the program inherit it.
 * @throws {PosixError} `EBADF` if the descriptor is not open.
 *
 * @example Letting a program inherit a pipe
 * ```ts
 * import { close, O_CLOEXEC, O_RDONLY, open, pipe, readAll, setCloexec } from "@posix/process/ipc";
 * import { assertEquals } from "@std/assert";
 *
 * const [reader, writer] = pipe();
 * setCloexec(reader, false);
 * const info = open(`/proc/self/fdinfo/${reader}`, O_RDONLY);
 * const [, flags = ""] = new TextDecoder().decode(readAll(info)).match(/flags:\s*(\d+)/)!;
 * assertEquals(parseInt(flags, 8) & O_CLOEXEC, 0);
 * for (const fd of [info, reader, writer]) close(fd);
 * ```
 *
 * @see {@link https://man7.org/linux/man-pages/man2/fcntl.2.html | fcntl(2)}
 */
export function setCloexec(fd: number, on: boolean): void {
  checkDescriptor(fd);
  checkBoolean(on, "on");
  setFlag(fd, { get: F_GETFD, set: F_SETFD }, FD_CLOEXEC, on);
}
