import type { Outcomes } from "./job.ts";

/** Results on their way from a job to whoever iterates over them. */
export class Results {
  readonly #ordered: boolean;
  /** Those whose turn has not come, by the position of the first. */
  readonly #early = new Map<number, Outcomes>();
  readonly #due: Outcomes[] = [];
  #next = 0;
  #end: { error: { reason: unknown } | undefined } | undefined;
  #notify: (() => void) | undefined;

  constructor(ordered: boolean) {
    this.#ordered = ordered;
  }

  /** Adds some. */
  add(outcomes: Outcomes): void {
    if (this.#ordered) {
      this.#early.set(outcomes.first, outcomes);
      this.#release();
    } else {
      this.#due.push(outcomes);
    }
    this.#notify?.();
  }

  /** Nothing more will come. */
  end(error: { reason: unknown } | undefined): void {
    this.#end = { error };
    this.#notify?.();
  }

  /** Gives them one after the other; says so before each, and when nobody wants more. */
  async *iterate<Result>(
    fetched: () => void,
    leave: () => void,
  ): AsyncGenerator<Result> {
    try {
      for (;;) {
        const part = this.#due.shift();
        if (part !== undefined) {
          for (let at = 0; at < part.values.length; at++) {
            fetched();
            if (part.failures.has(at)) throw part.failures.get(at);
            yield part.values[at] as Result;
          }
        } else if (this.#end === undefined) {
          await new Promise<void>((resolve) => this.#notify = resolve);
        } else if (this.#end.error === undefined) {
          return;
        } else {
          throw this.#end.error.reason;
        }
      }
    } finally {
      leave();
    }
  }

  #release(): void {
    for (;;) {
      const due = this.#early.get(this.#next);
      if (due === undefined) return;
      this.#early.delete(this.#next);
      this.#due.push(due);
      this.#next += due.values.length;
    }
  }
}
