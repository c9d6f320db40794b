/** Something of this library's state that belongs to the parent, such as its pending waits, and is to be forgotten in a forked child. */
interface Reset {
  /** Whether there is anything to be forgotten. */
  readonly isNeeded: () => boolean;
  readonly reset: () => void;
}

const resets: Reset[] = [];

/** How many forks lie between the first process and this one: what somebody got before the last one is the parent's. */
export let generation = 0;

/**
 * Has `reset` run in every child forked from now on, the children's own included, where it is needed. A module with state that belongs
 * to the parent registers it when it first has any.
 */
export function onForkedChild(
  reset: () => void,
  isNeeded: () => boolean = () => true,
): void {
  resets.push({ isNeeded, reset });
}

/** Runs the registered resets, in order; `forks` more lie between the first process and this one now. */
export function resetForkedChild(forks: number): void {
  for (const { isNeeded, reset } of resets) {
    if (isNeeded() && !rehearsing) reset();
  }
  generation += forks;
}

/**
 * Whether what happens in a forked child is just being rehearsed: it must have no effect on this process.
 *
 * V8 compiles a function when it is first called. In a child, where it has everything to itself that it writes to, that takes longer
 * than what the functions have to do; done before the fork, it is done once for all children.
 *
 * After some hundred times V8 optimizes it, for the ways that it has gone, and undoes all that in each child that goes another one. So
 * nothing must hang on this that every child does.
 */
export let rehearsing = false;

/** Has `body` call such functions, to no effect but that. */
export function rehearse(body: () => void): void {
  rehearsing = true;
  try {
    body();
  } finally {
    rehearsing = false;
  }
}
