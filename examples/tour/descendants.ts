import { getpid, type ProcessNode, processTree } from "../../process/mod.ts";
import { waitpid, WNOHANG } from "../../wait/mod.ts";

/** The processes that descend from this one, those included that have come to it since their parents ended. */
export class Descendants {
  /** Those there were when they were looked at last, with this process as the root. */
  tree: ProcessNode = processTree(getpid());
  /** The picture with the most of them. */
  fullest: ProcessNode = this.tree;

  /** Whether there is none. */
  get none(): boolean {
    return this.tree.children.length === 0;
  }

  /** Looks again. Children that have ended are reaped, but for those that somebody else does that for. */
  look(others: readonly number[]): void {
    const tree = processTree(getpid());
    tree.children = tree.children.filter(({ pid, state }) =>
      state !== "Z" ||
      !(others.includes(pid) || waitpid(pid, WNOHANG) !== null)
    );
    this.tree = tree;
    if (count(tree) >= count(this.fullest)) this.fullest = tree;
  }
}

function count({ children }: ProcessNode): number {
  return children.reduce((sum, child) => sum + count(child), 1);
}
