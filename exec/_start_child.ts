import type { ChildFds } from "../process/_child_fds.ts";
import { ChildParts } from "../process/_child_parts.ts";
import { kill } from "../process/kill.ts";
import { followChild, type Follower } from "../wait/_pending_child.ts";
import { waitpid } from "../wait/waitpid.ts";
import { descriptorActions } from "./_descriptor_actions.ts";
import { type Launch, launch } from "./_launch.ts";

/**
 * Starts a program with the descriptors that were opened for it, and follows it. If any of that fails there is no child, and
 * all of them are closed.
 *
 * @param what The program.
 * @param fds The descriptors that it is to have; this closes those that were opened for it.
 * @param terminal The path of a terminal that is to be its standard streams, and, with `newSession`, its controlling terminal.
 */
export function startChild(
  what: Omit<Launch, "fileActions">,
  fds: ChildFds,
  terminal?: string,
): ChildParts {
  let pid: number;
  let follower: Follower;
  try {
    const fileActions = descriptorActions(fds.redirections, {
      canCloseFrom: what.settings === undefined,
      terminal,
    });
    pid = launch({ ...what, fileActions });
    follower = follow(pid);
  } catch (error) {
    fds.close();
    throw error;
  }
  return new ChildParts(pid, follower, fds.connect());
}

/** Follows a program that has just been started; one that cannot be followed is ended. */
function follow(pid: number): Follower {
  try {
    return followChild(pid);
  } catch (error) {
    kill(pid, "SIGKILL");
    waitpid(pid);
    throw error;
  }
}
