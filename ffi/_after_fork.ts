/**
 * What must be forgotten in a forked child: state of this library that belongs to the parent, such as its pending waits.
 *
 * A module with such state registers a reset when it first has any; `fork` runs them in the child before it returns.
 */
const resets: (() => void)[] = [];

/** How many forks lie between the first process and this one: what somebody got before the last one is the parent's. */
export let generation = 0;

/** Has `reset` run in every child forked from now on, the children's own included. */
export function onForkedChild(reset: () => void): void {
  resets.push(reset);
}

/** Runs the registered resets, in order. */
export function resetForkedChild(): void {
  generation++;
  for (const reset of resets) reset();
}
