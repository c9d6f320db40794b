import { checkBoolean } from "../ffi/_arguments.ts";
import { PR_SET_CHILD_SUBREAPER } from "../ffi/constants.ts";
import { checkZero } from "../ffi/_results.ts";
import { processSymbols } from "../ffi/_symbols.ts";

/**
 * `prctl(PR_SET_CHILD_SUBREAPER, on)`: makes the process the one that orphans among its descendants fall to.
 *
 * A descendant whose parent ends becomes a child of its nearest ancestor that is a subreaper, instead of process 1. It is
 * then to be waited for here, or it stays a zombie: `waitpid(-1)` reports children that this process has never made. So does it
 * keep hold of daemons: a process that forks twice to get away is still a descendant, and {@linkcode killTree} finds it.
 *
 * It holds for the whole process and for descendants that exist already, is kept by an executed program, and is not passed
 * on to a forked child.
 *
 * @param on Whether it is to be one.
 * @throws {TypeError} If `on` is no boolean.
 * @throws {PosixError} `EINVAL` on a kernel older than 3.4.
 *
 * @example An orphaned grandchild comes to its grandparent
 * ```ts
 * import { _exit, fork, setChildSubreaper } from "@posix/process/process";
 * import { waitpid } from "@posix/process/wait";
 * import { assertEquals, assertNotEquals } from "@std/assert";
 *
 * setChildSubreaper(true);
 * const child = fork();
 * if (child === 0) {
 *   if (fork() === 0) _exit(7); // or it goes on for years
 *   _exit(0);
 * }
 * assertEquals(waitpid(child)?.raw, 0);
 * const orphan = waitpid(-1); // the one left, which another process has made
 * assertNotEquals(orphan?.pid, child);
 * assertEquals(orphan?.status, { kind: "exited", code: 7 });
 * setChildSubreaper(false);
 * ```
 *
 * @see {@link https://man7.org/linux/man-pages/man2/PR_SET_CHILD_SUBREAPER.2const.html | PR_SET_CHILD_SUBREAPER(2const)}
 */
export function setChildSubreaper(on: boolean): void {
  checkBoolean(on, "on");
  checkZero(
    processSymbols().prctl(PR_SET_CHILD_SUBREAPER, on ? 1n : 0n),
    "prctl",
    () => `Cannot ${on ? "become" : "stop being"} a subreaper`,
  );
}
