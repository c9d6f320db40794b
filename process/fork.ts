import { rehearse, rehearsing, resetForkedChild } from "../ffi/_after_fork.ts";
import { checkFunction } from "../ffi/_arguments.ts";
import { CallList } from "../ffi/_call_list.ts";
import { bindRest } from "../ffi/_libc.ts";
import { ERRNO, PosixError } from "../ffi/errors.ts";
import { _exit } from "./_exit.ts";
import { AGAIN, Crossing } from "./_fork/crossing.ts";
import { noEventLoop, ParentLoops, parentLoops } from "./_fork/event_loops.ts";
import {
  PoolCount,
  poolCount,
  PoolThreads,
  poolThreads,
} from "./_fork/pool_threads.ts";
import { Rest } from "./_fork/rest.ts";
import { SignalListeners, signalListeners } from "./_fork/signal_listeners.ts";
import {
  compileOnThisThread,
  endWithoutTelemetry,
  hasTelemetry,
  refuseFileWatching,
} from "./_fork/substitutes.ts";
import { v8Workers } from "./_fork/v8_workers.ts";

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
const forkHooks: ForkHooks[] = [];

/** Runs what is to run before a fork; gives what is to run after it in the parent, and in the child. */
function prepareFork(): { parent(): void; child(): void } {
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

/**
 * `pthread_atfork(prepare, parent, child)`: has functions run around every fork from now on, those of children included.
 *
 * For libraries with state that must not be used by both sides: `prepare` brings it to rest, `parent` goes on, and `child`
 * forgets or renews it, such as a connection or a cache of `Deno.pid`. They are synchronous.
 *
 * @param hooks The functions. What `prepare` throws is thrown by `fork`, before there is a child; the hooks `parent` that
 * belong to those already prepared are then run.
 * @returns Takes them back when disposed of (`using`), twice without harm.
 * @throws {TypeError} If a hook is no function.
 *
 * @example Renewing state in the child
 * ```ts
 * import { _exit, fork, onFork } from "@posix/process/process";
 * import { waitpid } from "@posix/process/wait";
 * import { assertEquals } from "@std/assert";
 *
 * let cache: string[] = ["the parent's"];
 * using _ = onFork({ child: () => cache = [] });
 * const child = fork();
 * if (child === 0) _exit(cache.length);
 * assertEquals(waitpid(child)?.raw, 0);
 * assertEquals(cache, ["the parent's"]);
 * ```
 *
 * @see {@link https://man7.org/linux/man-pages/man3/pthread_atfork.3.html | pthread_atfork(3)}
 */
export function onFork(hooks: ForkHooks): Disposable {
  for (const [name, hook] of Object.entries(hooks)) {
    if (hook !== undefined) checkFunction(hook, `hooks.${name}`);
  }
  const own = { ...hooks };
  forkHooks.push(own);
  return {
    [Symbol.dispose]() {
      const index = forkHooks.indexOf(own);
      if (index !== -1) forkHooks.splice(index, 1);
    },
  };
}

/**
 * `fork()`: makes a child that is a copy of the process.
 *
 * Both go on from here, each with a memory of its own, and the child is a whole Deno: timers, files, network, subprocesses,
 * workers, signal listeners and further forks work in it. It ends like any Deno program, or by {@linkcode _exit}; in a test, only
 * by {@linkcode _exit}, or it returns into the test runner.
 *
 * Not carried over are the other threads, and what they were about: promises that waited for input or output (a pending `fetch`
 * or read, a `Deno.Command` child, a server's next request) never settle in the child, nor keep it alive, and the parent's
 * workers do not exist there. Sockets that listen go on in both. Other TCP connections that the parent had opened through Deno
 * are the parent's, and closed in the child, whose `fetch` makes new ones, unless it calls {@linkcode inheritConnections}; a
 * client of `Deno.createHttpClient` may fail once for each. `Deno.watchFs` throws in the child of a parent that has used it.
 * Timers fire on both sides. Descriptors are shared, file positions included. Listeners for signals are the child's as well,
 * for its own signals; what Deno catches beyond them has its default action again. A pending alarm is the parent's alone.
 *
 * Blocks the thread for the time that it takes to bring the others to rest and to copy the page tables: about 20 µs a MiB of
 * resident memory. The hooks of {@linkcode onFork} run around it. To start another program, prefer `spawn`.
 *
 * @returns 0 in the child; in the parent, the child's pid, which is to be waited for.
 * @throws {PosixError} `EAGAIN` if the user or the system has too many processes; `ENOMEM` if there is too little memory;
 * `EBUSY` if another thread does not come to rest within two seconds or so (the message names it); `ENOTSUP` in a worker, or in
 * a runtime that is not built as expected (the message says why); `EMFILE` if there is no descriptor free.
 *
 * @example Two processes from one
 * ```ts
 * import { _exit, fork } from "@posix/process/process";
 * import { waitpid } from "@posix/process/wait";
 * import { assertEquals } from "@std/assert";
 *
 * let number = 100;
 * const pid = fork();
 * if (pid === 0) {
 *   number += 10; // the child's own copy
 *   _exit(number);
 * }
 * assertEquals(waitpid(pid)?.status, { kind: "exited", code: 110 });
 * assertEquals(number, 100);
 * ```
 *
 * @see {@link https://man7.org/linux/man-pages/man2/fork.2.html | fork(2)}
 */
export function fork(): number {
  if ("WorkerGlobalScope" in globalThis) refuseWorker();
  return forkHooks.length === 0 ? forkRuntime() : forkWithHooks();
}

function forkWithHooks(): number {
  const hooks = prepareFork();
  let pid = -1;
  try {
    pid = forkRuntime();
  } finally {
    if (pid !== 0) hooks.parent();
  }
  if (pid === 0) hooks.child();
  return pid;
}

/** Forks without anybody's hooks. */
function forkRuntime(): number {
  // Each child would have to do so anew.
  bindRest();
  let pid = -1;
  try {
    pid = forkAtRest();
  } finally {
    // Here are both sides, or the one that there is since the fork has failed.
    goOn(pid, own);
  }
  if (pid === 0) crossing = undefined;
  return pid;
}

/** On either side: goes on from the fork. */
function goOn(pid: number, own: Own): void {
  if (pid === 0) becomeWhole(crossing!, own);
  else own.poolThreads.releaseSoon();
}

/** What the latest fork was made with: mostly as good for the next one. */
let crossing: Crossing | undefined;

function refuseWorker(): never {
  throw new PosixError("Cannot fork", {
    errno: ERRNO.ENOTSUP,
    syscall: "fork",
    detail: "a worker is one thread of several, and a fork copies only one",
  });
}

/** After how many forks V8 is had to optimize what all go through: it takes some 10 ms, which 50 forks more have saved again. */
const OFTEN = 32;

let forks = 0;

function forkAtRest(): number {
  if (++forks === OFTEN && crossing !== undefined) {
    CallList.optimize();
    rehearseArrival(crossing, REHEARSALS.optimizing);
  }
  let pid = cross();
  if (pid !== AGAIN) return pid;
  signalListeners.prepare();
  v8Workers.find();
  const rest = new Rest();
  while ((pid = crossAtRest(rest)) === AGAIN) rest.pause();
  return pid;
}

/** Waits until the other threads are at rest, and forks with what holds then: what the latest fork was made with, or a new one. */
function crossAtRest(rest: Rest): number {
  if (crossing?.isCurrent) rehearseArrival(crossing);
  const notes = rest.settle();
  if (crossing?.takeRest(notes)) {
    const pid = cross();
    if (pid !== AGAIN || crossing.isCurrent) return pid;
  }
  crossing = new Crossing(notes, rest.watchesFiles);
  rehearseArrival(crossing, REHEARSALS.noting);
  return cross();
}

/** Forks with what the latest fork was made with, if that still holds. */
function cross(): number {
  if (!crossing?.isCurrent) return AGAIN;
  poolThreads.notePending();
  return crossing.go();
}

/** Of all that a child must not have in common with its parent: what it puts right in itself. */
interface Own {
  readonly parentLoops: ParentLoops;
  readonly poolCount: PoolCount;
  readonly poolThreads: PoolThreads;
  readonly signalListeners: SignalListeners;
  /** How many forks more lie between the first process and this one. */
  readonly forks: number;
}

const own: Own = {
  parentLoops,
  poolCount,
  poolThreads,
  signalListeners,
  forks: 1,
};

/** What it is rehearsed with. */
function standIns(): Own {
  return {
    parentLoops: new ParentLoops(),
    poolCount: new PoolCount(),
    poolThreads: PoolThreads.standIn(),
    signalListeners: new SignalListeners(),
    forks: 0,
  };
}

/** How often it is until V8 has taken notes of how each function goes, and until it has optimized them by those. */
const REHEARSALS = { noting: 9, optimizing: 1000 } as const;

function rehearseArrival(crossing: Crossing, times = 1): void {
  const { isDone } = crossing.loops;
  isDone[0] = 1;
  rehearse(() => {
    for (let time = 0; time < times; time++) {
      const others = standIns();
      goOn(0, others);
      putRight(crossing, others);
      _exit(0);
    }
  });
  isDone[0] = 0;
}

/** In the child: makes the copy a Deno of its own. One that cannot be made whole must not go on. */
function becomeWhole(crossed: Crossing, own: Own): void {
  try {
    if (crossed.loops.isDone[0] === 0) throw noEventLoop();
    // Mostly there is nothing of it to be done, and to find that out one by one takes as long as all else.
    const isPlain = crossed.isPlain && own.parentLoops.latest === undefined &&
      own.signalListeners.displaced.size === 0;
    // Before the first that gives the pool something to do.
    own.poolCount.reset();
    own.poolThreads.abandon();
    if (!isPlain || hasTelemetry) putRight(crossed, own);
    resetForkedChild(own.forks);
  } catch (error) {
    console.error(error);
    _exit(1);
  }
}

/** In the child: puts right what is not so in every one. */
function putRight(crossed: Crossing, own: Own): void {
  own.parentLoops.succeed(crossed.loops);
  crossed.arrive(own.signalListeners);
  if (rehearsing) return;
  if (!v8Workers.complete) compileOnThisThread();
  if (hasTelemetry) endWithoutTelemetry();
  if (crossed.watchesFiles) refuseFileWatching();
}

/**
 * In a forked child: takes over the connections and pipes that the parent had opened through Deno.
 *
 * Descriptors are shared by a fork, and so a read that the parent has under way would be under way in the child too, and take away
 * the parent's bytes. Therefore only sockets that listen go on working in a child by themselves, and its copies of TCP
 * connections are closed ones until then. A server that forks for
 * each connection calls this first in the child; it is for a parent that has no read or write of its own pending on them, as
 * those are then made by both. Without effect in a process that was not forked, or when called again.
 *
 * Numbers from `ipc` need none of this: `read` and `write` work on any open descriptor.
 *
 * @example A child that takes over what the parent has accepted
 * ```ts
 * import { _exit, fork, inheritConnections } from "@posix/process/process";
 * import { waitpid } from "@posix/process/wait";
 * import { assertEquals } from "@std/assert";
 *
 * // const connection = await listener.accept();
 * const child = fork();
 * if (child === 0) {
 *   inheritConnections();
 *   // await connection.write(answer);
 *   _exit(0);
 * }
 * // connection.close();
 * assertEquals(waitpid(child)?.raw, 0);
 * ```
 *
 * @throws {PosixError} Whatever the kernel refuses of it; nothing is known that it would.
 * @see {@link https://man7.org/linux/man-pages/man7/epoll.7.html | epoll(7)}
 */
export function inheritConnections(): void {
  parentLoops.inherit();
}
