/** What a library with state of its own has done around a fork; see `onFork`. */
export interface ForkHooks {
  /** Runs in the parent, before the fork; last registered, first run. */
  prepare?: () => void;
  /** Runs in the parent, after the fork; first registered, first run. Also where the fork has failed. */
  parent?: () => void;
  /** Runs in the child, before `fork` returns there; first registered, first run. */
  child?: () => void;
}

/** The hooks of this process, first registered first. */
export const forkHooks: ForkHooks[] = [];

/** Runs what is to run before a fork; gives what is to run after it in the parent, and in the child. */
export function prepareFork(): { parent(): void; child(): void } {
  // A hook that is registered or taken back meanwhile has no part in this fork.
  const hooks = [...forkHooks];
  const prepared: ForkHooks[] = [];
  const parent = () => prepared.toReversed().forEach((hook) => hook.parent?.());
  try {
    for (const hook of hooks.toReversed()) {
      hook.prepare?.();
      prepared.push(hook);
    }
  } catch (error) {
    parent();
    throw error;
  }
  return { parent, child: () => hooks.forEach((hook) => hook.child?.()) };
}
