import { processSymbols } from "../ffi/_symbols.ts";
import { SIGNAL_NUMBERS } from "../ffi/_signals.ts";
import { followChild, type Follower } from "../wait/_pending_child.ts";
import { waitpid } from "../wait/waitpid.ts";
import { _exit } from "./_exit.ts";
import { ChildParts } from "./_child_parts.ts";
import { setUpChild } from "./_child_setup.ts";
import { ChildStdio } from "./_child_stdio.ts";
import { ClosedFds } from "./_closed_fds.ts";
import { fork } from "./fork.ts";
import type { ForkPlan } from "./_fork_plan.ts";
import { getpid } from "./getpid.ts";
import { kill } from "./kill.ts";
import { StartReport } from "./_start_report.ts";

/** A fork with all that was asked for: what is opened before it, and what both sides do right after it. */
export class PlannedFork {
  readonly #plan: ForkPlan;
  readonly #parent = getpid();
  readonly #stdio: ChildStdio;
  readonly #report: StartReport;
  readonly #closed: ClosedFds | undefined;

  /** Opens what it takes; what fails here leaves nothing behind. */
  constructor(plan: ForkPlan) {
    this.#plan = plan;
    this.#stdio = new ChildStdio(plan.stdio);
    try {
      this.#report = new StartReport();
    } catch (error) {
      this.#stdio.close();
      throw error;
    }
    this.#closed = plan.keptFds &&
      new ClosedFds([...plan.keptFds, ...this.#stdio.copies.values()]);
  }

  /** Forks. In the child all that was asked for is done when this gives 0; one for which it cannot be done ends. */
  fork(): number {
    let pid: number;
    try {
      pid = fork();
    } catch (error) {
      this.#stdio.close();
      this.#report.close();
      throw error;
    }
    if (pid === 0) this.#become();
    return pid;
  }

  #become(): void {
    try {
      setUpChild(this.#plan, this.#stdio, this.#closed, this.#parent);
    } catch (error) {
      this.#report.fail(error);
      _exit(1);
    }
    this.#report.succeed();
  }

  /** In the parent: gives the child when it has become what was asked for; reaps one that could not. */
  async attend(pid: number): Promise<ChildParts> {
    const { processGroup, newSession } = this.#plan;
    if (processGroup !== undefined && !newSession) {
      // The child does the same, and tells what goes wrong: whoever is first, it is done when either goes on.
      processSymbols().setpgid(pid, processGroup);
    }
    const follower = this.#follow(pid);
    const parts = new ChildParts(pid, follower, this.#stdio.connect());
    try {
      const failure = await this.#report.read();
      if (failure === undefined) return parts;
      throw failure;
    } catch (error) {
      follower.kill(SIGNAL_NUMBERS.SIGKILL);
      await follower.result;
      for (const stream of parts.streams) await stream.end();
      throw error;
    }
  }

  #follow(pid: number): Follower {
    try {
      return followChild(pid);
    } catch (error) {
      kill(pid, "SIGKILL");
      waitpid(pid);
      this.#stdio.close();
      this.#report.close();
      throw error;
    }
  }
}
