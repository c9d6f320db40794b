/**
 * What a watched descriptor's owner wants after a look at it: go on watching; look again soon, since the descriptor is
 * ready but what it announces is not there yet; or let go.
 */
export type Verdict = "watch" | "retry" | "done";

/** A descriptor that is watched until its owner says `"done"`. */
export interface Watched {
  /** The descriptor. It must stay open until the watcher lets go. */
  readonly fd: number;
  /** What to watch it for, such as `POLLIN`; errors and the end are always among it. */
  readonly events: number;
  /** Whether it does no harm if what is behind the descriptor stays open a moment longer than that; no unless said otherwise. */
  readonly mayLinger?: boolean;
  /** Whether the watching keeps the process alive; say so to the watcher when it has changed. */
  readonly referenced: boolean;
  /** Called when the descriptor is ready, or when somebody has asked for a look at all. Must not throw. */
  look(ready: boolean): Verdict;
  /** Called when watching has become impossible; the watcher lets go. */
  fail(error: unknown): void;
  /** Called when the watcher has let go, in a forked child too: the time to close the descriptor. Must not throw. */
  release(): void;
  /** Called after each look, when whatever was let go is released: the time to tell the world. */
  settle(): void;
}

/** What has ended a sleep. */
export interface Waking {
  /** Those whose descriptors are ready. */
  readonly ready: readonly Watched[];
  /** Whether it was {@linkcode Sleep.wake}. */
  readonly woken: boolean;
}

/** A way to sleep, without holding up the event loop, until one of several descriptors is ready. */
export interface Sleep {
  /** Sleeps until this one is ready, too. */
  add(watched: Watched): void;
  /** No more; its descriptor may be closed afterwards. */
  remove(watched: Watched): void;
  /** Goes back to sleep after each waking, while anything is watched. */
  resume(): void;
  /** Ends the sleep now, as if something were ready. */
  wake(): void;
  /** Has it keep the process alive, as it does from the start, or not. */
  reference(on: boolean): void;
  /** Ends it for good, and closes what it takes. */
  close(): void;
  /** The same in a forked child, where nobody sleeps and nothing of it is the child's. */
  abandon(): void;
}

/** Is told when a sleep has ended. */
export interface Sleeper {
  /** It has; the sleep waits for {@linkcode Sleep.resume}. */
  awake(waking: Waking): void;
  /** Nobody can sleep any more. */
  fail(error: unknown): void;
}
