import { onForkedChild } from "../../ffi/_after_fork.ts";
import type { FutexWait } from "../../ffi/_futex.ts";
import type { Side } from "./side.ts";

/** What became of a try: it is over, one way or the other; there is nothing yet; or another process was at it. */
export type Verdict = "done" | "nothing" | "busy";

/** One who waits. */
export interface Waiter {
  /** Tries it; must not throw. */
  attempt(): Verdict;
  /** Called when it will never be. */
  fail(error: unknown): void;
}

/** How long to let another process be that holds the lock, in milliseconds. */
const BUSY_MS = 1;

/**
 * Those of this process who wait for one side of a queue without blocking, in the order in which they came. However many
 * they are, they take one thread of Deno's pool.
 */
export class Line {
  readonly #side: Side;
  readonly #waiters = new Set<Waiter>();
  #wait: FutexWait | undefined;
  /** The waits whose threads are not back yet, those that were called off included. */
  readonly #out = new Set<Promise<unknown>>();
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(side: Side) {
    this.#side = side;
  }

  /** Whether nobody waits, so that a newcomer may try at once. */
  get free(): boolean {
    return this.#waiters.size === 0;
  }

  add(waiter: Waiter): void {
    this.#waiters.add(waiter);
    if (this.#waiters.size > 1) return;
    register(this);
    this.#serve();
  }

  /** Lets one go who does not want to wait any longer. */
  remove(waiter: Waiter): void {
    if (this.#waiters.delete(waiter) && this.#waiters.size === 0) this.#rest();
  }

  /** Tells all that it will never be. */
  end(error: unknown): void {
    const waiters = [...this.#waiters];
    this.#waiters.clear();
    this.#rest();
    for (const waiter of waiters) waiter.fail(error);
  }

  /** Resolves when no thread sleeps here any more; `undefined` if none does. */
  settled(): Promise<unknown> | undefined {
    return this.#out.size === 0 ? undefined : Promise.all(this.#out);
  }

  /** In a forked child: those who wait are the parent's. */
  forget(): void {
    this.#waiters.clear();
    clearTimeout(this.#timer);
    this.#wait = undefined;
    this.#timer = undefined;
    this.#out.clear();
  }

  /** Lets all try who can, then waits for the state to change. */
  #serve(): void {
    try {
      while (this.#waiters.size > 0) {
        const verdict = this.#tryInTurn();
        if (verdict === "busy") {
          this.#timer = setTimeout(() => {
            this.#timer = undefined;
            this.#serve();
          }, BUSY_MS);
          return;
        }
        if (verdict === "nothing" && this.#sleep()) return;
      }
    } catch (error) {
      this.end(error);
      return;
    }
    this.#rest();
  }

  #tryInTurn(): Verdict {
    for (const waiter of this.#waiters) {
      const verdict = waiter.attempt();
      if (verdict !== "done") return verdict;
      this.#waiters.delete(waiter);
    }
    return "done";
  }

  /** Sleeps until the state changes; gives false if it has already. */
  #sleep(): boolean {
    const wait = this.#side.waitAsync();
    if (wait === null) return false;
    this.#wait = wait;
    const back = wait.outcome.then(() => {
      this.#out.delete(back);
      this.#unregister();
      // One that was called off may come back when the next is under way.
      if (this.#wait !== wait) return;
      this.#wait = undefined;
      this.#serve();
    });
    this.#out.add(back);
    return true;
  }

  #unregister(): void {
    if (this.#waiters.size === 0 && this.#out.size === 0) lines.delete(this);
  }

  #rest(): void {
    this.#unregister();
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const wait = this.#wait;
    this.#wait = undefined;
    wait?.cancel();
  }
}

/** The lines in which somebody waits, or a thread is not back yet. */
const lines = new Set<Line>();
let registered = false;

function register(line: Line): void {
  lines.add(line);
  if (registered) return;
  onForkedChild(() => {
    for (const line of lines) line.forget();
    lines.clear();
  });
  registered = true;
}
