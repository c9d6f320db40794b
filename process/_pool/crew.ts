import { Queue } from "../../ipc/queue.ts";
import { SharedMemory } from "../../ipc/shared_memory.ts";
import type { ChildStatus } from "../child_process.ts";
import { getpid } from "../ids.ts";
import { PoolWorkerError, revive } from "../_portable_error.ts";
import { QueueListener } from "../_queue_listener.ts";
import { Hand, type Report, Whereabouts, type Work } from "./hand.ts";
import type { Job } from "./job.ts";

/** How often each place may be filled in vain, nobody having done anything meanwhile, before it is clear that nobody will. */
const STILLBORN_MAX = 3;
/** How long workers that are told to end are waited for before they are killed, in milliseconds. */
const GRACE = 500;

/** The workers of a pool: what each has to do, what comes back from them, and who takes the place of one that has ended. */
export class Crew {
  readonly #work: Work<unknown, unknown>;
  readonly #retries: number;
  readonly #memory: SharedMemory;
  readonly #whereabouts: Whereabouts;
  readonly #reports: Queue<Report> = new Queue<Report>();
  readonly #listener = new QueueListener(this.#reports, () => this.#isBusy());
  /** Those that run, by their slots. */
  readonly #hands = new Map<number, Hand>();
  /** From the start of each to its end, by their slots. */
  readonly #careers = new Map<number, Promise<void>>();
  readonly #workers: number;
  /** The jobs that are not over, the one whose turn it is first. */
  readonly #jobs = new Set<Job>();
  #stillborn = 0;
  #pumping = false;
  #closed: Promise<void> | undefined;
  readonly #owner = getpid();

  constructor(work: Work<unknown, unknown>, workers: number, retries: number) {
    this.#work = work;
    this.#retries = retries;
    this.#workers = workers;
    this.#memory = SharedMemory.anonymous(
      workers * Whereabouts.BYTES_PER_WORKER,
    );
    this.#whereabouts = new Whereabouts(this.#memory.buffer);
    this.#fill();
  }

  /** The pids of the workers that run at the moment. */
  get pids(): number[] {
    return [...this.#hands.values()].flatMap(({ pid }) => pid ?? []);
  }

  /** Refuses what comes too late, or in a process that the pool does not belong to. */
  check(): void {
    if (this.#isForeign()) {
      throw new TypeError("Cannot use a pool of the parent in a forked child");
    }
    if (this.#closed) throw new TypeError("Cannot use a pool that is closed");
  }

  /** Has a job done. */
  add(job: Job): void {
    this.#jobs.add(job);
    job.over.then(() => this.#jobs.delete(job));
    this.#fill();
    this.pump();
  }

  /** Gives up a job. Workers that are at it are killed, as what they do may have no end. */
  cancel(job: Job, reason: unknown): void {
    job.end(reason);
    for (const hand of this.#hands.values()) {
      if (hand.current?.job === job) hand.kill();
      else while (hand.has(job) && this.#unload(hand));
    }
    if (!this.#isBusy()) this.#listener.stop();
  }

  /** Gives something to do to those who have too little: a second chunk only when each has one. */
  pump(): void {
    if (this.#pumping || this.#isForeign()) return;
    this.#pumping = true;
    for (const most of [0, 1]) {
      for (const hand of this.#hands.values()) this.#feed(hand, most);
    }
    this.#even();
    this.#pumping = false;
    this.#listen();
  }

  /** Ends all workers, when all jobs are over or else at once. */
  close(drain: boolean): Promise<void> {
    if (this.#isForeign()) return Promise.resolve();
    if (!drain) this.#endJobs();
    return this.#closed ??= this.#close();
  }

  async #close(): Promise<void> {
    while (this.#jobs.size > 0) await [...this.#jobs][0]!.over;
    for (const hand of this.#hands.values()) hand.dismiss();
    const timer = setTimeout(() => {
      for (const hand of this.#hands.values()) hand.kill();
    }, GRACE);
    while (this.#careers.size > 0) await Promise.all(this.#careers.values());
    clearTimeout(timer);
    await this.#listener.stop();
    this.#reports[Symbol.dispose]();
    this.#memory.close();
  }

  #endJobs(): void {
    for (const job of this.#jobs) {
      this.cancel(
        job,
        new TypeError("The pool was closed before this was done"),
      );
      this.#jobs.delete(job);
    }
  }

  /** Hires for every place that is empty: as at first, and where the system had refused a worker. */
  #fill(): void {
    for (let slot = 0; slot < this.#workers; slot++) {
      if (!this.#careers.has(slot)) this.#hire(slot);
    }
  }

  #hire(slot: number): void {
    const career = this.#employ(slot).then(
      () => {
        this.#careers.delete(slot);
        if (!this.#closed || this.#jobs.size > 0) this.#hire(slot);
      },
      (reason) => {
        this.#careers.delete(slot);
        this.#giveUp(reason);
      },
    );
    this.#careers.set(slot, career);
  }

  /** A worker, from its start to its end. */
  async #employ(slot: number): Promise<void> {
    const hand = new Hand(
      slot,
      this.#work,
      this.#whereabouts,
      this.#reports,
    );
    try {
      await hand.started();
      this.#hands.set(slot, hand);
      if (this.#closed && this.#jobs.size === 0) hand.dismiss();
      this.pump();
    } finally {
      const status = await hand.ended().catch(() => undefined);
      // What it has reported counts.
      this.#collect();
      this.#hands.delete(slot);
      hand.release();
      if (status) this.#settle(hand, status);
    }
  }

  /** A worker has ended: what it has not reported is to be done by others. */
  #settle(hand: Hand, status: ChildStatus): void {
    const how = status.signal ?? `exit code ${status.code}`;
    const { begun, others, at } = hand.leave();
    // The last first: what comes back goes to the front of what is to be done.
    for (const chunk of others.reverse()) chunk.job.giveBack(chunk);
    if (begun !== undefined) {
      const error = new PoolWorkerError(how, begun.first + at);
      begun.job.lost(begun, at, this.#retries, error);
    }
    if (!this.#isBusy()) this.#listener.stop();
    this.#stillborn = begun || hand.wasUseful ? 0 : this.#stillborn + 1;
    if (this.#closed || this.#stillborn <= STILLBORN_MAX * this.#workers) {
      return;
    }
    this.#stillborn = 0;
    throw new Error(`The workers of the pool end before they begin: ${how}`);
  }

  /** No worker can be had for a place. Where there are no others, nothing will be done any more. */
  #giveUp(reason: unknown): void {
    if (this.#careers.size > 0) return;
    for (const job of this.#jobs) job.end(reason);
  }

  #feed(hand: Hand, most: number): void {
    if (hand.load > most) return;
    for (const job of this.#jobs) {
      const chunk = job.take(this.#workers);
      if (chunk === undefined) continue;
      // To the end of the line: jobs take turns.
      this.#jobs.delete(job);
      this.#jobs.add(job);
      try {
        if (!hand.give(chunk)) job.giveBack(chunk);
      } catch (reason) {
        job.end(reason);
      }
      return;
    }
  }

  /** Where nothing else is left to do: gives those who have nothing what others have not begun. */
  #even(): void {
    for (const hand of this.#hands.values()) {
      if (hand.load > 0) continue;
      for (const other of this.#hands.values()) {
        if (other.load < 2 || !this.#unload(other)) continue;
        this.#feed(hand, 0);
        break;
      }
    }
  }

  /** Takes back something that a worker has not begun, if there is any. */
  #unload(hand: Hand): boolean {
    const chunk = hand.takeBack();
    chunk?.job.giveBack(chunk);
    return chunk !== undefined;
  }

  /** Whether this is a forked child of the process that the workers belong to. */
  #isForeign(): boolean {
    return getpid() !== this.#owner;
  }

  #isBusy(): boolean {
    return [...this.#hands.values()].some(({ load }) => load > 0);
  }

  /** Waits for reports as long as any is to come. */
  #listen(): void {
    this.#listener.listen((report) => {
      this.#accept(report);
      this.#collect();
      this.pump();
    });
  }

  /** Takes the reports that are there. */
  #collect(): void {
    for (const report of this.#listener.present()) this.#accept(report);
  }

  #accept({ chunk: id, milliseconds, results, failures }: Report): void {
    for (const hand of this.#hands.values()) {
      const chunk = hand.done(id);
      if (chunk === undefined) continue;
      const reasons = new Map<number, unknown>();
      for (const [at, error] of failures) reasons.set(at, revive(error));
      chunk.job.done(chunk, results, reasons, milliseconds);
      return;
    }
  }
}
