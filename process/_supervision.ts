import { SIGNAL_NUMBERS } from "../ffi/_signals.ts";
import type { ChildParts } from "./_child_parts.ts";

/** How long a child has between SIGTERM and SIGKILL, in milliseconds, where nothing else is said. */
const KILL_GRACE = 5000;

/** When a child is to be ended, if it has not ended by itself. */
export interface EndingPlan {
  /** Ends it when it aborts. */
  readonly signal?: AbortSignal | undefined;
  /** Ends it when so many milliseconds have passed. */
  readonly timeout?: number | undefined;
  /** How many milliseconds it has between SIGTERM and SIGKILL. */
  readonly killGrace?: number | undefined;
}

/**
 * Sees to a child's end: SIGTERM when somebody wants it, SIGKILL to one that takes no notice of it.
 *
 * When the time of grace is over, what is read of its output is closed as well: its own children may hold on to that.
 * Timers keep nothing alive: while the child does so itself they run, and once it has been let go nobody waits for them.
 */
export class Supervision {
  readonly #parts: ChildParts;
  readonly #grace: number;
  readonly #signal: AbortSignal | undefined;
  readonly #abort = (): void => this.terminate();
  #deadline: Timer | undefined;
  #grim: Timer | undefined;
  #timedOut = false;
  #ended = false;

  /** Begins with the child's start. */
  constructor(parts: ChildParts, plan: EndingPlan = {}) {
    this.#parts = parts;
    this.#grace = plan.killGrace ?? KILL_GRACE;
    this.#signal = plan.signal;
    if (plan.timeout !== undefined) {
      this.#deadline = later(() => {
        this.#timedOut = true;
        this.terminate();
      }, plan.timeout);
    }
    this.#signal?.addEventListener("abort", this.#abort);
    const look = () => this.#lookWhatIsLeft();
    const over = () => {
      this.#ended = true;
      look();
    };
    parts.follower.result.then(over, over);
    for (const { descriptor } of parts.outputs) descriptor.onClosed = look;
  }

  /** Whether the time that it had was over before it has ended. */
  get timedOut(): boolean {
    return this.#timedOut;
  }

  /** Asks the child to end, and sees to it that it does. Twice without harm. */
  terminate(): void {
    if (this.#grim !== undefined) return;
    if (this.#kill(SIGNAL_NUMBERS.SIGTERM)) {
      this.#grim = later(() => this.#forceEnd(), this.#grace);
    } else this.#forceEnd();
  }

  #forceEnd(): void {
    this.#kill(SIGNAL_NUMBERS.SIGKILL);
    for (const { end } of this.#parts.outputs) end().catch(() => {});
  }

  #kill(signal: number): boolean {
    try {
      return this.#parts.follower.kill(signal);
    } catch {
      // Another user's by now: it ends when it ends.
      return true;
    }
  }

  /** When the child has ended, and its output too, there is nothing left to see to. */
  #lookWhatIsLeft(): void {
    const { outputs } = this.#parts;
    if (!this.#ended || outputs.some(({ descriptor }) => !descriptor.ended)) {
      return;
    }
    clearTimeout(this.#deadline);
    clearTimeout(this.#grim);
    this.#signal?.removeEventListener("abort", this.#abort);
  }
}

type Timer = ReturnType<typeof setTimeout>;

function later(action: () => void, milliseconds: number): Timer {
  const timer = setTimeout(action, milliseconds);
  Deno.unrefTimer(timer);
  return timer;
}
