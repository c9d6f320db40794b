import { resetForkedChild } from "../ffi/_after_fork.ts";
import { ERRNO } from "../ffi/errno.ts";
import { PosixError } from "../ffi/posix_error.ts";
import { lastError } from "../ffi/_results.ts";
import {
  exitSymbols,
  forkSymbols,
  signalSymbols,
  waitSymbols,
} from "../ffi/_symbols.ts";
import { AddressSpace } from "./_fork/address_space.ts";
import { endWithoutTelemetry } from "./_fork/ending.ts";
import { EventLoops, parentLoops } from "./_fork/event_loops.ts";
import { refuseFileWatching } from "./_fork/file_watching.ts";
import { prepareFork } from "./_fork/hooks.ts";
import { Gate } from "./_fork/gate.ts";
import { poolCount } from "./_fork/pool_count.ts";
import { poolThreads } from "./_fork/pool_threads.ts";
import { Rest } from "./_fork/rest.ts";
import { signalListeners } from "./_fork/signal_listeners.ts";
import {
  blockSignals,
  caughtSignals,
  resetSignals,
  restoreSignals,
} from "./_fork/signals.ts";
import { v8Workers } from "./_fork/v8_workers.ts";
import { compileOnThisThread } from "./_fork/web_assembly.ts";

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
 * Blocks the thread for the time that it takes to bring the others to rest and to copy the page tables: about 50 µs a MiB of
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
  refuseWorker();
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

/** Forks for the library's own ends, as {@linkcode fork} does but without anybody's hooks. */
export function forkWithoutHooks(): number {
  refuseWorker();
  return forkRuntime();
}

/** Forks without anybody's hooks. */
function forkRuntime(): number {
  exitSymbols();
  signalListeners.prepare();
  memory ??= new AddressSpace();
  v8Workers.find();
  const rest = new Rest();
  let pid = -1;
  try {
    pid = forkAtRest(rest, memory);
  } finally {
    if (pid !== 0) poolThreads.releaseSoon();
    rest.close();
    memory.close();
  }
  return pid;
}

let memory: AddressSpace | undefined;

function refuseWorker(): void {
  if (!("WorkerGlobalScope" in globalThis)) return;
  throw new PosixError("Cannot fork", {
    errno: ERRNO.ENOTSUP,
    syscall: "fork",
    detail: "a worker is one thread of several, and a fork copies only one",
  });
}

const SIGKILL = 9;

/** What {@linkcode forkOnce} gives when something had changed since it was looked at. */
const AGAIN = -1;

function forkAtRest(rest: Rest, memory: AddressSpace): number {
  for (;;) {
    memory.survey();
    rest.settle();
    const loops = new EventLoops();
    const caught = caughtSignals();
    const { watchesFiles } = rest;
    const pid = forkOnce(rest, memory);
    if (pid === 0) {
      becomeWhole(loops, caught);
      if (watchesFiles) refuseFileWatching();
    }
    if (pid !== AGAIN) return pid;
    rest.pause();
  }
}

/**
 * Forks, and keeps the child only if no other thread has run since all were seen at rest, and no memory was mapped.
 *
 * Signals are blocked meanwhile, so that no handler of this thread runs; in the child they stay so until it is whole.
 */
function forkOnce(rest: Rest, memory: AddressSpace): number {
  const gate = new Gate();
  const { _Fork, fork } = forkSymbols();
  // `fork` hands the stacks of the threads that are gone to new ones, while V8 still has lists of waiters that lead there.
  const copy = _Fork ?? fork;
  blockSignals();
  let pid = AGAIN;
  try {
    // From here to the fork nothing may be allocated: V8 takes new pages out of the fork as it maps them.
    if (!memory.include()) return AGAIN;
    // What has changed already need not be copied to find out: a signal, say, that one of the others has been given.
    if (!rest.held()) return AGAIN;
    pid = copy();
    if (pid === -1) throw lastError("fork", () => "Cannot fork");
    if (pid === 0) gate.pass();
    else if (memory.unchanged() && rest.held()) gate.open();
    else return discard(pid);
    return pid;
  } finally {
    if (pid !== 0) restoreSignals();
    gate.close();
  }
}

/** Ends a child that has not run a line of anybody's code. */
function discard(pid: number): typeof AGAIN {
  signalSymbols().kill(pid, SIGKILL);
  waitSymbols().waitpid(pid, null, 0);
  return AGAIN;
}

/** In the child: makes the copy a Deno of its own. One that cannot be made whole must not go on. */
function becomeWhole(loops: EventLoops, caught: readonly number[]): void {
  try {
    parentLoops.current?.drop();
    loops.unshare();
    // Before the first that gives the pool something to do: the signals.
    poolCount.reset();
    parentLoops.current = loops;
    resetSignals(caught);
    const parked = poolThreads.forget();
    signalListeners.renew();
    v8Workers.restart();
    restoreSignals();
    poolThreads.abandonCalls(parked);
    if (!v8Workers.complete) compileOnThisThread();
    endWithoutTelemetry();
    resetForkedChild();
  } catch (error) {
    console.error(error);
    exitSymbols()._exit(1);
  }
}
