import { ERRNO, PosixError } from "../../ffi/errors.ts";
import { forkSymbols } from "../../ffi/_symbols.ts";
import { poolCount, poolThreads } from "./pool_threads.ts";
import { listProc } from "./proc_file.ts";
import { LOOKS_AT_ONCE, PAUSE_MICROSECONDS, Thread } from "./thread.ts";

/** How often to look again before giving up: a few times at once, then every 100 µs or so, for some 2 s. */
const PATIENCE = 15_000;
const LOOKS_BEFORE_LISTING = 5;
const LOOKS_AT_CALL = 500;

/** What the thread that serves `Deno.watchFs` is called. */
const WATCHING = "notify-rs";

/**
 * The other threads of the process, brought to rest for a fork and watched until it is over.
 *
 * A fork copies all memory but only the calling thread. Whatever another one was in the middle of stays so in the child
 * for ever: a lock that it held is never let go. So none may be in the middle of anything.
 */
export class Rest {
  readonly #threads = new Map<number, Thread>();
  readonly #self = forkSymbols().gettid();
  #patience = PATIENCE;
  #runner: Thread | undefined;

  /** Whether there is the thread of `Deno.watchFs`. */
  watchesFiles = false;

  /**
   * Waits until every other thread rests, and parks the idle ones of the pool. Gives how much each had run when it was seen at rest:
   * its clock, and what that said.
   */
  settle(): ReadonlyMap<number, Uint8Array<ArrayBuffer>> {
    try {
      this.#settle();
      const threads = [...this.#threads.values()];
      this.watchesFiles = threads.some((thread) =>
        thread.kind === "other" && thread.name.startsWith(WATCHING)
      );
      return new Map(threads.map(({ clock, noted }) => [clock, noted]));
    } finally {
      this.#close();
    }
  }

  #settle(): void {
    this.#refresh();
    for (;;) {
      if (this.#note() && this.#held()) {
        const idle = this.#idle();
        if (idle.length === 0) break;
        poolCount.survey(this.#poolSize());
        if (poolCount.isFull(this.#parked())) poolThreads.disown(idle);
        else this.#park(idle);
      } else {
        this.pause();
        this.#refresh();
      }
    }
    poolCount.confirm(this.#poolSize());
  }

  /** The threads that bear the name of the pool's, other runtimes' included. */
  #poolSize(): number {
    return [...this.#threads.values()]
      .filter(({ kind }) => kind === "pool").length;
  }

  /**
   * The idle threads of the pool, to be asked for only where all threads slept at one and the same time: a call that is made
   * while one is still on its way to being idle would bring forth one thread more.
   */
  #idle(): Thread[] {
    return [...this.#threads.values()].filter((thread) =>
      poolThreads.isIdle(thread)
    );
  }

  /** Notes how much each thread has run, and then sees whether all rest; allocates nothing. */
  #note(): boolean {
    for (const thread of this.#threads.values()) {
      thread.note();
      thread.look();
      if (!thread.rests) return false;
    }
    return true;
  }

  /** Whether no thread has run since it was noted; allocates nothing. */
  #held(): boolean {
    for (const thread of this.#threads.values()) {
      if (!thread.hasRun()) continue;
      this.#runner = thread;
      return false;
    }
    return true;
  }

  /** Closes what the watching took. */
  #close(): void {
    for (const thread of this.#threads.values()) thread.close();
    this.#threads.clear();
  }

  /** Gives the idle threads of the pool something to do, and waits until they sit down to it. */
  #park(idle: readonly Thread[]): void {
    const before = new Set(this.#threads.keys());
    const ours = idle.filter((thread) => poolThreads.isOurs(thread)).length;
    const calls = Math.max(1, ours);
    const wanted = this.#parked() + calls;
    poolThreads.occupy(calls);
    try {
      // Not for ever: one that was parked may have been interrupted meanwhile, and then all is looked at again.
      for (let looks = 1; looks <= LOOKS_AT_CALL; looks++) {
        this.pause();
        // Mostly they are those that were idle; now and then it is seen whether there are new ones.
        if (looks % LOOKS_BEFORE_LISTING === 0) this.#refresh();
        else for (const thread of this.#threads.values()) thread.look();
        if (this.#parked() >= wanted) break;
      }
    } finally {
      // Where patience has ended, too: those that sit there are to be let go, and waited for.
      this.#refresh();
      poolThreads.learn(this.#threads.values(), before, idle);
    }
  }

  #parked(): number {
    let count = 0;
    for (const thread of this.#threads.values()) {
      if (poolThreads.isParked(thread)) count++;
    }
    return count;
  }

  /** Looks at all threads, the new ones included. */
  #refresh(): void {
    const alive = new Set(listProc("/proc/self/task"));
    alive.delete(this.#self);
    for (const [tid, thread] of this.#threads) {
      if (alive.has(tid)) continue;
      thread.close();
      this.#threads.delete(tid);
    }
    for (const tid of alive) {
      if (!this.#threads.has(tid)) this.#threads.set(tid, new Thread(tid));
    }
    poolThreads.forgetEnded(alive);
    for (const thread of this.#threads.values()) thread.look();
  }

  /** Waits a moment before another look; too many of them end in an error that names the threads. */
  pause(): void {
    if (this.#patience-- > 0) {
      // Not by yielding: where others compute, that costs a time slice, while one who sleeps is soon given its turn.
      if (this.#patience < PATIENCE - LOOKS_AT_ONCE) {
        forkSymbols().usleep(PAUSE_MICROSECONDS);
      }
      return;
    }
    const awake = [...this.#threads.values()].filter((thread) => !thread.rests);
    if (awake.length === 0 && this.#runner !== undefined) {
      awake.push(this.#runner);
    }
    const names = awake.map((thread) => thread.describe());
    throw new PosixError("Cannot fork", {
      errno: ERRNO.EBUSY,
      syscall: "fork",
      detail: names.length > 0
        ? `threads did not come to rest: ${names.join(", ")}`
        : "memory was mapped that the kernel lets nobody copy",
    });
  }
}
