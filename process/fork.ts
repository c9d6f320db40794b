import { MADV_DOFORK, O_CLOEXEC } from "../ffi/constants.ts";
import { ERRNO } from "../ffi/errno.ts";
import { resetForkedChild } from "../ffi/_after_fork.ts";
import { PosixError } from "../ffi/posix_error.ts";
import { checkZero, lastError } from "../ffi/_results.ts";
import {
  descriptorSymbols,
  forkSymbols,
  processSymbols,
  signalSymbols,
  waitSymbols,
} from "../ffi/_symbols.ts";
import { endWithoutTelemetry } from "./_fork/ending.ts";
import { EventLoops } from "./_fork/event_loops.ts";
import { PoolThreads } from "./_fork/pool_threads.ts";
import { Rest } from "./_fork/rest.ts";
import {
  blockSignals,
  resetCaughtSignals,
  restoreSignals,
} from "./_fork/signals.ts";

/** `fork()`: makes a child that is a copy of the process. */
export function fork(): number {
  refuseWorker();
  pool ??= new PoolThreads();
  const loops = new EventLoops();
  const rest = new Rest(pool);
  let pid = -1;
  try {
    pid = forkAtRest(rest, loops);
  } finally {
    rest.close();
    loops.close();
    if (pid !== 0) pool.release();
  }
  if (pid === 0) becomeWhole(loops);
  return pid;
}

let pool: PoolThreads | undefined;

function refuseWorker(): void {
  if ("WorkerGlobalScope" in globalThis) {
    throw new PosixError("Cannot fork", {
      errno: ERRNO.ENOTSUP,
      syscall: "fork",
      detail: "a worker is one thread of several, and a fork copies only one",
    });
  }
}

/** The address space below the kernel's, its first page left out: nothing is ever mapped there. */
const FIRST_PAGE = 4096n;
const USER_SPACE = (1n << 48n) - 2n * FIRST_PAGE;

/** What {@linkcode tryFork} gives when a thread was not, or not any more, at rest. */
const NOT_AT_REST = -1;

function forkAtRest(rest: Rest, loops: EventLoops): number {
  const gate = openGate();
  try {
    for (;;) {
      rest.settle();
      const pid = tryFork(rest, loops, gate);
      if (pid !== NOT_AT_REST) return pid;
    }
  } finally {
    descriptorSymbols().close(gate[0]!);
    descriptorSymbols().close(gate[1]!);
  }
}

/** The pipe at which a child waits for the word to go; nobody but parent and child ever holds its writing end. */
function openGate(): Int32Array {
  const gate = new Int32Array(2);
  checkZero(
    descriptorSymbols().pipe2(gate, O_CLOEXEC),
    "pipe2",
    () => "Cannot fork",
  );
  return gate;
}

const word = new Uint8Array(1);

/**
 * Forks once, and keeps the child only if no other thread has run from the last look at them until after the fork.
 *
 * From `note` to `fork` nothing may be allocated: V8 takes new pages out of the fork as it maps them, and the signals
 * stay blocked, so that no handler runs in between and what arrives meanwhile is delivered afterwards.
 */
function tryFork(rest: Rest, loops: EventLoops, gate: Int32Array): number {
  const libc = forkSymbols();
  blockSignals();
  loops.note();
  // -1 and ENOMEM, as the range has holes; all that is mapped in it has been treated nevertheless.
  libc.madvise(FIRST_PAGE, USER_SPACE, MADV_DOFORK);
  const pid = libc.fork();
  if (pid === 0) {
    passGate(gate);
    return 0;
  }
  const error = pid === -1 ? lastError("fork", () => "Cannot fork") : undefined;
  const held = pid !== -1 && rest.held();
  if (held) descriptorSymbols().write(gate[1]!, word, 1n);
  else if (pid !== -1) discard(pid);
  restoreSignals();
  if (error !== undefined) throw error;
  return held ? pid : NOT_AT_REST;
}

/** In the child: waits until the parent has seen that it is sound. A parent that is killed meanwhile closes the pipe. */
function passGate(gate: Int32Array): void {
  const libc = descriptorSymbols();
  libc.close(gate[1]!);
  if (libc.read(gate[0]!, word, 1n) !== 1) processSymbols()._exit(1);
}

/** Ends a child that has not run a line of anybody's code. */
function discard(pid: number): void {
  signalSymbols().kill(pid, 9);
  waitSymbols().waitpid(pid, null, 0);
}

/** In the child: makes the copy a Deno of its own. */
function becomeWhole(loops: EventLoops): void {
  loops.unshare();
  resetCaughtSignals();
  restoreSignals();
  pool = undefined;
  endWithoutTelemetry();
  resetForkedChild();
}
