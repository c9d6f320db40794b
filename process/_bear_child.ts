import { onForkedChild } from "../ffi/_after_fork.ts";
import { checkFunction } from "../ffi/_arguments.ts";
import { PlannedFork } from "./_planned_fork.ts";
import { type ChildBody, startBody } from "./_child_body.ts";
import { poolThreads } from "./_fork/pool_threads.ts";
import type { ForkOptions } from "./fork_options.ts";
import { planOf } from "./_fork_plan.ts";
import type { ChildParts } from "./_child_parts.ts";

/** What `forkChild` does: forks a child that runs the body, and gives what a `ChildProcess` is made of. */
export async function bearChild(
  body: ChildBody,
  options: ForkOptions,
): Promise<ChildParts> {
  checkFunction(body, "body");
  const plan = planOf(options);
  await nextTurn();
  const planned = new PlannedFork(plan);
  const pid = planned.fork();
  if (pid === 0) {
    startBody(body);
    return await never();
  }
  const parts = await planned.attend(pid);
  await poolThreads.settled();
  return parts;
}

/** How many forks this process is away from the first: what was called in another one is not to go on in this. */
let generation = 0;
let registered = false;

/**
 * Waits until nothing is left on the stack, and no reaction to a promise is due: all of that would run in the child as well.
 * A call that some other fork has carried over into a child gets no further than this.
 */
async function nextTurn(): Promise<void> {
  if (!registered) onForkedChild(() => void generation++);
  registered = true;
  const called = generation;
  await new Promise((resolve) => setTimeout(resolve));
  if (called !== generation) await never();
}

function never(): Promise<never> {
  return new Promise(() => {});
}
