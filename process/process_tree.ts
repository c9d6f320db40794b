import { checkInteger } from "../ffi/_arguments.ts";
import { ERRNO } from "../ffi/errno.ts";
import { errorFor } from "../ffi/_results.ts";
import { listProcesses, type ProcessInfo } from "./list_processes.ts";
import { readStat } from "./_proc_stat.ts";

/** A process and what descends from it. */
export interface ProcessNode extends ProcessInfo {
  /** Its children, in ascending order of their pids. */
  children: ProcessNode[];
}

/**
 * `pstree -p`: a process and all its descendants, read from `/proc` like {@linkcode listProcesses}.
 *
 * The kernel gives no picture of a single moment: a process that was made while the others were read may be missing, and the
 * children of one that ended meanwhile are where they went, with process 1 or the nearest subreaper.
 *
 * @param pid The root; 1, the default, has everything below it but for the kernel's own threads, which descend from process 2.
 * @returns The root.
 * @throws {PosixError} `ESRCH` if there is no such process, or none that the caller can see.
 * @throws {RangeError} If `pid` is no 32-bit integer of 1 or more.
 *
 * @example Children of this program
 * ```ts
 * import { fork, getpid, kill, processTree } from "@posix/process/process";
 * import { waitpid } from "@posix/process/wait";
 * import { assertEquals } from "@std/assert";
 *
 * const pid = fork();
 * if (pid === 0) for (;;); // until the signal comes
 * const { children } = processTree(getpid());
 * assertEquals(children.map((child) => child.pid), [pid]);
 * kill(pid, "SIGKILL");
 * waitpid(pid);
 * ```
 *
 * @see {@link https://man7.org/linux/man-pages/man1/pstree.1.html | pstree(1)}
 */
export function processTree(pid = 1): ProcessNode {
  checkInteger(pid, "pid", 1);
  const nodes = new Map<number, ProcessNode>();
  for (const info of listProcesses()) {
    nodes.set(info.pid, { ...info, children: [] });
  }
  const root = nodes.get(pid);
  if (root === undefined) {
    throw errorFor(
      ERRNO.ESRCH,
      "open",
      () => `Cannot show the tree of process ${pid}`,
      `/proc/${pid}`,
    );
  }
  for (const node of nodes.values()) {
    // The parent may have ended after the node was read, or before it was read itself.
    if (!nodes.has(node.ppid)) node.ppid = readStat(node.pid)?.ppid ?? 0;
    // Whatever pids were used again meanwhile, the root is nobody's child: the tree must end.
    if (node !== root) nodes.get(node.ppid)?.children.push(node);
  }
  return root;
}
