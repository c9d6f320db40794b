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

/** A list of values as it is sent. Numbers go as they lie in memory: to clone them one by one takes many times as long. */
export type Packed = Int32Array | Float64Array | readonly unknown[];

/**
 * Packs a list for sending. Small integers stay what they are to V8: one that came back as a double would have
 * everything that is calculated with it done in doubles, a remainder at four times the cost.
 */
export function pack(values: readonly unknown[]): Packed {
  let integers = true;
  for (const value of values) {
    if (typeof value !== "number") return values;
    integers &&= Object.is(value, value | 0);
  }
  const numbers = values as readonly number[];
  return integers ? Int32Array.from(numbers) : Float64Array.from(numbers);
}

/** About how many bytes a value takes on its way: enough to keep large ones from being sent by the thousand. */
function weigh(value: unknown): number {
  if (typeof value === "string") return value.length + 8;
  if (ArrayBuffer.isView(value)) return value.byteLength + 8;
  return typeof value === "object" && value !== null ? 128 : 8;
}

/** Some items of a job that follow on each other. */
export interface Chunk {
  readonly job: Job;
  /** The position of the first one among all of the job. */
  readonly first: number;
  readonly items: readonly unknown[];
}

/** What has become of items that follow on each other. */
export interface Outcomes {
  /** The position of the first one among all of the job. */
  readonly first: number;
  /** The results. */
  readonly values: Packed;
  /** What those have failed with that have no result, by their positions among these. */
  readonly failures: ReadonlyMap<number, unknown>;
}

/** How a job is cut and whom it tells. */
export interface JobOptions {
  /** How many items go to a worker at once; by default as many as take it some milliseconds. */
  readonly chunkSize: number | undefined;
  /** How many items may be on their way, or done and not yet fetched: a measure for each worker, in chunks. */
  readonly chunksAhead: number;
  /** Called with each part of the outcomes, in whatever order. */
  deliver(outcomes: Outcomes): void;
  /** Called when nothing more will come: with what went wrong where it was not all done. */
  finish(error?: { reason: unknown }): void;
}

/**
 * What the work on a chunk should take: so long that sending it weighs little, so short that all workers end together. Where it is
 * known how many items there are, the last chunks are cut smaller, and so the others may be larger.
 */
const CHUNK_MILLISECONDS = { counted: 32, uncounted: 8 } as const;
/** How many chunks each worker gets at least of those items that are left. */
const LAST_CHUNKS = 3;
/** A chunk of tiny items grows no faster, since the first ones say little about the others. */
const GROWTH = 8;
const CHUNK_MAX = 8192;
/** Chunks that large are not made larger. */
const CHUNK_BYTES = 1 << 17;

/** Items that wait for work, those that are being worked on, and those that are done: one call of a pool. */
export class Job {
  readonly #options: JobOptions;
  readonly #source: Iterator<unknown> | AsyncIterator<unknown>;
  readonly #asynchronous: boolean;
  /** Called when there is something to do again. */
  readonly #wake: () => void;
  /** Settles when it is over, whatever the outcome; is never rejected. */
  readonly over: Promise<void>;
  #settle!: () => void;
  #size: number;
  /** How many items there are, where that is known and it is for the job to say how they are cut. */
  readonly #count: number | undefined;
  #next = 0;
  #exhausted = false;
  #fetching = false;
  #ended = false;
  /** Items of an asynchronous source that nobody has taken yet. */
  #fetched: unknown[] = [];
  /** Chunks that come back from workers that have ended. */
  readonly #returned: Chunk[] = [];
  /** How many items are with workers. */
  #out = 0;
  /** How many items are done, but not fetched by whoever iterates. */
  #unfetched = 0;
  /** How often a worker has ended at an item. */
  readonly #fatal = new Map<number, number>();

  constructor(
    items: Iterable<unknown> | AsyncIterable<unknown>,
    options: JobOptions,
    wake: () => void,
  ) {
    this.#options = options;
    this.#wake = wake;
    this.#size = options.chunkSize ?? 1;
    this.#count = options.chunkSize === undefined && Array.isArray(items)
      ? items.length
      : undefined;
    this.over = new Promise((resolve) => this.#settle = resolve);
    this.#asynchronous = Symbol.asyncIterator in items;
    this.#source = Symbol.asyncIterator in items
      ? items[Symbol.asyncIterator]()
      : items[Symbol.iterator]();
  }

  /** Whether it is over, done or not. */
  get ended(): boolean {
    return this.#ended;
  }

  /** The next chunk for one of so many workers; `undefined` where there is none at the moment. */
  take(workers: number): Chunk | undefined {
    if (this.#ended) return undefined;
    const chunk = this.#returned.pop() ?? this.#cut(workers);
    if (chunk !== undefined) this.#out += chunk.items.length;
    return chunk;
  }

  /** No worker has begun with a chunk that was taken. */
  giveBack(chunk: Chunk): void {
    this.#out -= chunk.items.length;
    if (!this.#ended) this.#returned.push(chunk);
  }

  /** Whoever iterates has fetched so many outcomes: there is room for more. */
  fetched(count: number): void {
    this.#unfetched -= count;
    this.#wake();
  }

  /** A worker has done a chunk, and it took so long. */
  done(
    { items, first }: Chunk,
    values: Packed,
    failures: ReadonlyMap<number, unknown>,
    milliseconds: number,
  ): void {
    this.#out -= items.length;
    if (this.#ended) return;
    this.#adapt(items, milliseconds);
    this.#deliver({ first, values, failures });
  }

  /** A worker has ended at an item of a chunk. All is to be done again, but for an item that has ended too many workers. */
  lost(chunk: Chunk, at: number, retries: number, reason: Error): void {
    const { items, first } = chunk;
    this.#out -= items.length;
    if (this.#ended) return;
    const times = (this.#fatal.get(first + at) ?? 0) + 1;
    this.#fatal.set(first + at, times);
    const parts: Chunk[] = [
      { job: this, first: first + at + 1, items: items.slice(at + 1) },
      { job: this, first: first + at, items: [items[at]] },
      { job: this, first, items: items.slice(0, at) },
    ];
    if (times > retries) parts.splice(1, 1);
    this.#returned.push(...parts.filter(({ items }) => items.length > 0));
    if (times <= retries) return;
    const failures = new Map([[0, reason]]);
    this.#deliver({ first: first + at, values: [undefined], failures });
  }

  /** Ends it before it is done: what is with workers does not count any more. */
  end(reason: unknown): void {
    this.#end({ reason });
    this.#leaveSource();
  }

  #deliver(outcomes: Outcomes): void {
    this.#unfetched += outcomes.values.length;
    this.#options.deliver(outcomes);
    this.#endIfDone();
  }

  #endIfDone(): void {
    if (
      this.#exhausted && this.#out === 0 && this.#returned.length === 0 &&
      this.#fetched.length === 0
    ) this.#end();
  }

  #end(error?: { reason: unknown }): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#options.finish(error);
    this.#settle();
  }

  #cut(workers: number): Chunk | undefined {
    const ahead = this.#options.chunksAhead * workers * this.#size;
    const room = ahead - this.#out - this.#unfetched;
    const size = Math.min(this.#size, room, this.#share(workers));
    if (size <= 0) return undefined;
    const items = this.#asynchronous ? this.#fetch(size) : this.#pull(size);
    if (items.length === 0) return undefined;
    const first = this.#next;
    this.#next += items.length;
    return { job: this, first, items };
  }

  /** How many items to cut off at most, so that all workers have something to the end. */
  #share(workers: number): number {
    if (this.#count === undefined) return Infinity;
    const left = Math.max(1, this.#count - this.#next);
    return Math.ceil(left / (LAST_CHUNKS * workers));
  }

  #pull(size: number): unknown[] {
    const items: unknown[] = [];
    try {
      while (items.length < size && !this.#exhausted) {
        const { done, value } = (this.#source as Iterator<unknown>).next();
        if (done) this.#exhausted = true;
        else items.push(value);
      }
    } catch (reason) {
      this.#exhausted = true;
      this.#end({ reason });
    }
    if (items.length === 0) this.#endIfDone();
    return items;
  }

  #fetch(size: number): unknown[] {
    const items = this.#fetched.splice(0, size);
    if (this.#fetched.length < size) this.#fetchMore(size);
    return items;
  }

  /** Asks an asynchronous source for its next items, until there are enough. */
  async #fetchMore(size: number): Promise<void> {
    if (this.#fetching || this.#exhausted) return;
    this.#fetching = true;
    try {
      while (!this.#ended && this.#fetched.length < size) {
        const { done, value } = await this.#source.next();
        if (done) {
          this.#exhausted = true;
          this.#endIfDone();
          break;
        }
        this.#fetched.push(value);
        this.#wake();
      }
    } catch (reason) {
      this.#exhausted = true;
      this.#end({ reason });
    } finally {
      this.#fetching = false;
    }
  }

  /** Tells a source that is not exhausted that nobody wants more of it. */
  async #leaveSource(): Promise<void> {
    if (this.#exhausted) return;
    this.#exhausted = true;
    try {
      await this.#source.return?.();
    } catch {
      // The job is over, and has said why.
    }
  }

  #adapt(items: readonly unknown[], milliseconds: number): void {
    const { length } = items;
    if (this.#options.chunkSize !== undefined || length < this.#size) return;
    const { counted, uncounted } = CHUNK_MILLISECONDS;
    const aim = this.#count === undefined ? uncounted : counted;
    const wanted = length * aim / Math.max(milliseconds, 0.001);
    const roomy = CHUNK_BYTES / weigh(items[0]);
    this.#size = Math.max(
      1,
      Math.floor(Math.min(wanted, roomy, this.#size * GROWTH, CHUNK_MAX)),
    );
  }
}
