import { onForkedChild } from "../ffi/_after_fork.ts";
import { refOp, stopTimer, type Timer, unrefOp } from "../ffi/_deno_core.ts";
import { checkValue, errorFor } from "../ffi/_libc.ts";
import { PoolPoll } from "../ffi/_pool_poll.ts";
import { descriptorSymbols } from "../ffi/_symbols.ts";
import {
  EFD_CLOEXEC,
  EFD_NONBLOCK,
  POLLIN,
  POLLNVAL,
} from "../ffi/constants.ts";
import { ERRNO } from "../ffi/errors.ts";
import { bells, KernelBell, rehearse } from "./_kernel_bell.ts";
import type { Sleep, Sleeper, Waking, Watched } from "./_watched.ts";

const cannotWatch = () => "Cannot watch descriptors";

/**
 * Sleeps in one `poll(2)` on one thread of Deno's pool, however many descriptors there are.
 *
 * To have the thread come back, an eventfd is among what it polls. It holds what is behind the descriptors: closing one would
 * take no effect on the other end.
 */
class PoolSleep implements Sleep {
  readonly #sleeper: Sleeper;
  readonly #eventfd: number;
  readonly #watched = new Set<Watched>();
  readonly #poll = new PoolPoll();
  /** What it was begun for, after the eventfd. */
  #polled: readonly Watched[] = [];
  #polling: Promise<number> | undefined;
  #woken = false;
  #referenced = true;
  #abandoned = false;

  constructor(sleeper: Sleeper) {
    this.#sleeper = sleeper;
    this.#eventfd = checkValue(
      descriptorSymbols().eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK),
      "eventfd",
      cannotWatch,
    );
  }

  add(watched: Watched): void {
    this.wake();
    this.#watched.add(watched);
    try {
      this.resume();
    } catch (error) {
      this.#watched.delete(watched);
      throw error;
    }
  }

  remove(watched: Watched): void {
    this.#watched.delete(watched);
  }

  resume(): void {
    if (this.#polling !== undefined) return;
    this.#polled = [...this.#watched];
    const eventfd = { fd: this.#eventfd, events: POLLIN };
    this.#polling = this.#poll.start([eventfd, ...this.#polled]);
    this.#polling.then((result) => this.#back(result));
    if (!this.#referenced) unrefOp(this.#polling);
  }

  wake(): void {
    if (this.#polling === undefined || this.#woken || this.#abandoned) return;
    checkValue(
      descriptorSymbols().write(this.#eventfd, new BigUint64Array([1n]), 8n),
      "write",
      () => "Cannot wake the watcher of descriptors",
    );
    this.#woken = true;
  }

  reference(on: boolean): void {
    if (on === this.#referenced) return;
    this.#referenced = on;
    if (this.#polling === undefined) return;
    if (on) refOp(this.#polling);
    else unrefOp(this.#polling);
  }

  close(): void {
    descriptorSymbols().close(this.#eventfd);
    this.#poll.close();
  }

  abandon(): void {
    this.#abandoned = true;
    this.close();
    if (this.#polling !== undefined) unrefOp(this.#polling);
  }

  #back(result: number): void {
    if (this.#abandoned) return;
    this.#polling = undefined;
    let ready: readonly Watched[];
    const woken = this.#woken;
    try {
      ready = this.#ready(result);
    } catch (error) {
      this.#sleeper.fail(error);
      return;
    }
    this.#sleeper.awake({ ready, woken });
  }

  /** What poll has found ready; makes the eventfd ready to be written again. */
  #ready(result: number): readonly Watched[] {
    const [own, ...others] = this.#poll.found(result);
    if ((own! & POLLNVAL) !== 0) {
      // Somebody has closed what was not theirs; to poll on would be to spin.
      throw errorFor(ERRNO.EBADF, "poll", cannotWatch);
    }
    if (this.#woken) {
      descriptorSymbols().read(this.#eventfd, new BigUint64Array(1), 8n);
      this.#woken = false;
    }
    return this.#polled.filter((_, index) => others[index] !== 0);
  }
}

/** How long to wait where something is to be looked at again. */
const RETRY_MS = 10;

/** How many sleeps take a thread before a bell is tried: it saves time with each of them, but to load it takes 8 ms. */
const SLEEPS_BEFORE_BELL = 8;

let sleeps = 0;

/** Watches descriptors on behalf of their owners, as long as there are any. */
class Watcher implements Sleeper {
  readonly #watched = new Set<Watched>();
  /** Those to be looked at again though a sleep would only repeat that they are ready. */
  readonly #retried = new Set<Watched>();
  #retry: Timer | undefined;
  #endRehearsal = () => {};
  #sleep: Sleep;

  constructor() {
    this.#sleep = bells.heard ? this.#newBell() : new PoolSleep(this);
  }

  add(watched: Watched): void {
    this.#watched.add(watched);
    try {
      this.#addToSleep(watched);
    } catch (error) {
      const isAlone = this.#watched.delete(watched) && this.#watched.size === 0;
      if (isAlone) this.#stop();
      throw error;
    }
    this.updateReference();
    this.#countSleep();
  }

  /** Has everything looked at. */
  wake(): void {
    this.#sleep.wake();
  }

  /** Has the sleep keep the process alive if that is what anybody who is watched wants. */
  updateReference(): void {
    this.#sleep.reference(
      this.#watched.values().some((watched) => watched.referenced),
    );
  }

  /** In a forked child: lets go of all. */
  abandon(): void {
    this.#endRehearsal();
    stopTimer(this.#retry);
    this.#sleep.abandon();
    for (const watched of this.#watched) watched.release();
  }

  /** Order matters: first everything is put in order and closed, then the world is told. */
  awake({ ready, woken }: Waking): void {
    const looked = woken ? [...this.#watched] : ready;
    for (const watched of looked) {
      this.#look(watched, !woken || ready.includes(watched));
    }
    if (this.#watched.size === 0) this.#stop();
    else this.#resume();
    for (const watched of looked) watched.settle();
  }

  fail(error: unknown): void {
    const everyone = [...this.#watched];
    for (const watched of everyone) {
      watched.fail(error);
      this.#letGo(watched);
    }
    this.#stop();
    for (const watched of everyone) watched.settle();
  }

  #addToSleep(watched: Watched): void {
    try {
      return this.#sleep.add(watched);
    } catch (error) {
      if (this.#sleep instanceof PoolSleep) throw error;
      // A thread takes one descriptor, where there is no second one for the bell.
      this.#sleep.close();
    }
    try {
      this.#move(new PoolSleep(this));
    } catch (error) {
      this.#watched.delete(watched);
      this.fail(error);
      throw error;
    }
  }

  #resume(): void {
    try {
      if (bells.heard && this.#sleep instanceof PoolSleep) this.#useBell();
      this.#sleep.resume();
      this.updateReference();
    } catch (error) {
      return this.fail(error);
    }
    this.#countSleep();
  }

  #useBell(): void {
    const bell = this.#newBell();
    if (bell instanceof PoolSleep) return bell.close();
    this.#sleep.close();
    this.#move(bell);
  }

  #move(sleep: Sleep): void {
    this.#sleep = sleep;
    for (const watched of this.#watched) {
      if (!this.#retried.has(watched)) sleep.add(watched);
    }
  }

  /** A bell, or a thread where what a bell takes is used up, such as the requests of all processes. */
  #newBell(): Sleep {
    try {
      return new KernelBell(this);
    } catch {
      return new PoolSleep(this);
    }
  }

  #countSleep(): void {
    if (bells.heard || ++sleeps % SLEEPS_BEFORE_BELL !== 0) return;
    // In a task of its own: Deno loads a part of itself for it and runs all tasks that there are, unless one runs already.
    queueMicrotask(() => {
      if (watcher !== this) return;
      this.#endRehearsal();
      this.#endRehearsal = rehearse();
    });
  }

  #look(watched: Watched, ready: boolean): void {
    const retried = this.#retried.has(watched);
    const verdict = watched.look(ready || retried);
    if (verdict === "done") this.#letGo(watched);
    else if (verdict === "retry") this.#lookAgain(watched);
  }

  #lookAgain(watched: Watched): void {
    if (!this.#retried.has(watched)) this.#sleep.remove(watched);
    this.#retried.add(watched);
    stopTimer(this.#retry);
    // It is the sleep that keeps the process alive.
    const timer = setTimeout(() => this.wake(), RETRY_MS);
    Deno.unrefTimer(timer);
    this.#retry = timer;
  }

  #letGo(watched: Watched): void {
    this.#watched.delete(watched);
    if (!this.#retried.delete(watched)) this.#sleep.remove(watched);
    watched.release();
  }

  #stop(): void {
    this.#endRehearsal();
    stopTimer(this.#retry);
    this.#sleep.close();
    watcher = undefined;
  }
}

let watcher: Watcher | undefined;
let registered = false;

/** Watches a descriptor, until its owner says `"done"`; if this throws, it is not watched. */
export function watch(watched: Watched): void {
  if (!registered) {
    onForkedChild(() => {
      watcher?.abandon();
      watcher = undefined;
    }, () => watcher !== undefined);
    registered = true;
  }
  watcher ??= new Watcher();
  watcher.add(watched);
}

/** Has everything that is watched looked at soon: something has changed that no descriptor tells. */
export function lookSoon(): void {
  watcher?.wake();
}

/** Has to be called when somebody who is watched has changed `referenced`. */
export function referencesChanged(): void {
  watcher?.updateReference();
}
