import type { ChildFds } from "../process/_child_fds.ts";
import { ChildParts } from "../process/_child_parts.ts";
import { kill } from "../process/kill.ts";
import { followChild, type Follower } from "../wait/_pending_child.ts";
import { waitpid } from "../wait/waitpid.ts";
import { descriptorActions } from "./_descriptor_actions.ts";
import { forkExec } from "./_fork_exec.ts";
import type { Launch } from "./_launch.ts";
import { posixSpawn } from "./_posix_spawn.ts";

/** A program that is to be started. */
export interface Start {
  readonly launch: Omit<Launch, "fileActions">;
  /** The descriptors that it is to have. */
  readonly fds: ChildFds;
  /** The path of a terminal that is to be its standard streams, and, with `newSession`, its controlling terminal. */
  readonly terminal?: string;
}

/**
 * Starts a program with the descriptors that were opened for it, and follows it. If any of that fails there is no child, and
 * all of them are closed.
 */
export function startChild(
  launch: Start["launch"],
  fds: ChildFds,
  terminal?: string,
): ChildParts {
  const start = terminal === undefined
    ? { launch, fds }
    : { launch, fds, terminal };
  return startChildren([start])[0]!;
}

/** Starts several programs: all of them or, if anything fails, none. */
export function startChildren(starts: readonly Start[]): ChildParts[] {
  const pids: number[] = [];
  let followers: Follower[];
  try {
    for (const start of starts) pids.push(begin(start));
    followers = pids.map((pid) => followChild(pid));
  } catch (error) {
    for (const pid of pids) kill(pid, "SIGKILL");
    for (const pid of pids) waitpid(pid);
    for (const { fds } of starts) fds.close();
    throw error;
  }
  return followers.map((follower, index) =>
    new ChildParts(pids[index]!, follower, starts[index]!.fds.connect())
  );
}

/**
 * Starts a program, and gives its pid; the error says what was wrong, and then there is no child.
 *
 * By `posix_spawn` wherever that can do what is asked. Of the rest, some is the property of a whole process (limits, the
 * file mode mask), and could be set neither here, where other threads would see it, nor in a program that runs already; some
 * the kernel takes away from a new process (the parent's death signal). For that this process is forked.
 */
function begin({ launch, fds, terminal }: Start): number {
  const start = launch.settings === undefined ? posixSpawn : forkExec;
  const fileActions = descriptorActions(fds.redirections, {
    canCloseFrom: launch.settings === undefined,
    terminal,
  });
  return start({ ...launch, fileActions });
}
