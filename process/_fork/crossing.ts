import { rehearsing } from "../../ffi/_after_fork.ts";
import {
  CallList,
  callMemory,
  CallOutput,
  type CallResult,
  symbolAddresses,
} from "../../ffi/_call_list.ts";
import { checkErrorNumber, errnoAddress, errorFor } from "../../ffi/_libc.ts";
import {
  descriptorSymbols,
  signalSymbols,
  waitSymbols,
} from "../../ffi/_symbols.ts";
import { O_CLOEXEC, SIG_DFL, SIG_SETMASK } from "../../ffi/constants.ts";
import type { PosixError } from "../../ffi/errors.ts";
import { SIGACTION, SIGSET } from "../../ffi/layouts.ts";
import { EventLoops } from "./event_loops.ts";
import { readProc } from "./proc_file.ts";
import { type SignalListeners, signalListeners } from "./signal_listeners.ts";
import { blockSignals, unblockSignals } from "./signal_masks.ts";
import { AddressSpace, type Part, Snapshot } from "./snapshot.ts";
import { v8Workers } from "./v8_workers.ts";

type Bytes = Uint8Array<ArrayBuffer>;

const masks = {
  all: new Uint8Array(new ArrayBuffer(SIGSET.size)).fill(0xff),
  former: callMemory(SIGSET.size),
};

/** In the child, at once: unblocks the signals. */
function restoreSignals(): void {
  checkErrorNumber(
    signalSymbols().pthread_sigmask(SIG_SETMASK, masks.former, null),
    "pthread_sigmask",
    () => "Cannot set the signal mask",
  );
}

/**
 * Signals whose handlers a forked child keeps: those of faults, by which the runtime explains a crash, and SIGCHLD, which
 * is caught by tokio itself, without a thread, on behalf of `Deno.Command`.
 */
const KEPT: ReadonlySet<number> = new Set([
  4, // SIGILL
  5, // SIGTRAP
  7, // SIGBUS
  8, // SIGFPE
  11, // SIGSEGV
  17, // SIGCHLD
]);

/** The file and the line that tell which signals this process catches, with its length. */
const CAUGHT = {
  path: "/proc/self/status",
  name: "SigCgt:\t",
  length: 16,
} as const;

/** The signals that this process catches, other than by those handlers. */
function caughtSignals(): number[] {
  const mask = /^SigCgt:\s*([0-9a-f]+)$/m.exec(readProc(CAUGHT.path));
  const bits = BigInt(`0x${mask?.[1] ?? "0"}`);
  return Array.from({ length: 64 }, (_, index) => index + 1).filter((signal) =>
    (bits >> BigInt(signal - 1) & 1n) === 1n && !KEPT.has(signal)
  );
}

const defaultAction = new Uint8Array(new ArrayBuffer(SIGACTION.size));
new DataView(defaultAction.buffer).setBigUint64(
  SIGACTION.fields.sa_handler,
  BigInt(SIG_DFL),
  true,
);

/**
 * In the child, by calls of the list: gives the signals that Deno catches their default actions again.
 *
 * Deno answers them on a thread that the child does not have, so a SIGTERM, say, would do nothing at all. glibc keeps two
 * for itself (32 and 33), and refuses to have them changed.
 */
function resetSignals(list: CallList, signals: readonly number[]): void {
  const { sigaction } = symbolAddresses();
  for (const signal of signals) list.call(sigaction, signal, defaultAction, 0);
}

const WORD = new Uint8Array(new ArrayBuffer(1)).fill(1);

/**
 * The pipe at which a forked child waits, before it has run a line of anybody's code, for the word to go.
 *
 * Only parent and child ever hold its writing end, so a parent that is killed meanwhile does not leave a child behind.
 */
class Gate {
  /** Two `int`s: the reading and the writing end. */
  readonly #pipe = callMemory(8);
  readonly #reader = new CallOutput(this.#pipe.subarray(0, 4));
  readonly #writer = new CallOutput(this.#pipe.subarray(4));
  readonly #heard = callMemory(1);

  /** By calls of the list, before the fork: makes the pipe. The call gives 0, or -1 and errno. */
  make(list: CallList): CallResult {
    return list.call(symbolAddresses().pipe2, this.#pipe, O_CLOEXEC);
  }

  /** In the child, by calls of the list: leaves the writing end to the parent. */
  approach(list: CallList): void {
    list.call(symbolAddresses().close, this.#writer);
  }

  /**
   * In the child, by calls of the list: waits for the word, does what `body` adds if it comes, and ends if it never does. This is
   * the end of the list.
   */
  pass(list: CallList, body: () => void): void {
    const { _exit, close, read } = symbolAddresses();
    list.call(read, this.#reader, this.#heard, 1);
    list.whereSet(this.#heard, () => {
      list.call(close, this.#reader);
      body();
      list.end();
    });
    list.call(_exit, 1);
  }

  /** In the parent, by calls of the list: lets the child go, and closes the pipe. */
  open(list: CallList): void {
    const { close, write } = symbolAddresses();
    list.call(write, this.#writer, WORD, 1);
    list.call(close, this.#reader);
    list.call(close, this.#writer);
  }

  /** In the parent, where the child was not let go: closes the pipe. */
  close(): void {
    for (const fd of intsAt(this.#pipe)) descriptorSymbols().close(fd);
  }
}

/** The `int`s in memory that calls write to. */
function intsAt({ buffer, byteOffset, length }: Bytes): Int32Array {
  return new Int32Array(buffer, byteOffset, length / 4);
}

const SIGKILL = 9;

/** Room for `/proc/self/status`, of which the kernel gives no more at a time. */
const STATUS_SIZE = 4096;

/** What {@linkcode Crossing.go} gives when something had changed since it was looked at. */
export const AGAIN = -1;

/** How far the list of calls comes: to the next after that it does not. */
const STAGE = {
  start: 0,
  rested: 1,
  looked: 2,
  piped: 3,
  forked: 4,
  kept: 5,
  child: 6,
} as const;

/**
 * The fork itself, and what both sides do right before and after it: one list of calls, in which no JavaScript runs.
 *
 * It is put together from what is known of the process, and good for any number of forks as long as that is so. The other
 * threads must be at rest, which is seen by how much each of them has run: right before the fork, and again right after it,
 * while the child waits.
 */
export class Crossing {
  readonly #snapshot = new Snapshot();
  readonly #list = new CallList();
  readonly #gate = new Gate();
  /** What it was put together for. */
  readonly #shape: readonly Part[];
  /** How much each thread had run when it was seen at rest, by its clock. */
  readonly #rest: ReadonlyMap<number, Part>;
  #fork!: CallResult;
  /** How far the list has come. */
  readonly #stage = callMemory(1);
  readonly #errno = callMemory(4);
  /** Whether listeners for signals are to be served in the child before the first signal comes. */
  readonly #serves = signalListeners.isServing;
  readonly loops: EventLoops;
  /** Whether there is nothing for a child to do that the list has not done, as far as this is concerned. */
  readonly isPlain: boolean;
  /** Whether there is the thread of `Deno.watchFs`. */
  readonly watchesFiles: boolean;

  /** Puts it together for the threads that were seen at rest. */
  constructor(notes: ReadonlyMap<number, Bytes>, watchesFiles: boolean) {
    this.watchesFiles = watchesFiles;
    this.loops = new EventLoops();
    this.#shape = [
      ...this.#snapshot.addParts(CAUGHT.path, STATUS_SIZE, [
        [CAUGHT.name, CAUGHT.length],
        // Itself is one of them; one that has been started since was not seen at rest.
        [`\nThreads:\t${notes.size + 1}\n`, 0],
      ]),
      ...this.loops.files.entries().map(([path, length]) =>
        this.#snapshot.addFile(path, length + 1)
      ),
    ];
    this.#rest = new Map(
      notes.keys().map((clock) => [clock, this.#snapshot.addClock(clock)]),
    );
    this.#compose();
    this.isPlain = !this.#serves && !this.loops.leavesOut && !watchesFiles &&
      v8Workers.complete && !v8Workers.startAtOnce;
    this.#snapshot.take();
    this.takeRest(notes);
  }

  /** Takes it that the threads are at rest, as noted; gives false where they are not the same ones. */
  takeRest(notes: ReadonlyMap<number, Bytes>): boolean {
    if (notes.size !== this.#rest.size) return false;
    for (const [clock, note] of notes) {
      const part = this.#rest.get(clock);
      if (part === undefined) return false;
      part.then.set(note);
    }
    return true;
  }

  /**
   * Whether all is as it was put together for, as far as is known: the listeners that there are, and what the latest fork has come
   * upon while the threads were at rest.
   */
  get isCurrent(): boolean {
    return this.#serves === signalListeners.isServing &&
      this.#stage[0] !== STAGE.rested;
  }

  /**
   * Forks if all is as it was put together for, and no other thread has run since it was seen at rest; and keeps the child only if none
   * has until then. Gives 0 in the child, which is not whole until {@linkcode Crossing.arrive}; in the parent the child's pid, or
   * {@linkcode AGAIN}.
   *
   * What it was put together for is looked at before the fork alone: if no thread has run from then on, nobody was there to change it.
   *
   * @throws {PosixError} What `fork` throws; `EMFILE` if there is no descriptor free.
   */
  go(): number {
    this.#stage[0] = STAGE.start;
    this.#list.run();
    const stage = this.#stage[0];
    if (stage === STAGE.child) return 0;
    const pid = this.#list.result(this.#fork);
    return stage === STAGE.kept ? pid : this.#undo(stage, pid);
  }

  /** Where there is no child, or none that may go on. */
  #undo(stage: number, pid: number): typeof AGAIN {
    if (stage <= STAGE.rested) return AGAIN;
    if (stage === STAGE.looked) throw this.#error("pipe2");
    this.#gate.close();
    if (stage === STAGE.piped) throw this.#error("fork");
    return discard(pid);
  }

  #error(syscall: string): PosixError {
    return errorFor(intsAt(this.#errno)[0]!, syscall, () => "Cannot fork");
  }

  /** In the child: does what no call of the list can, or sees how it has gone. */
  arrive(listeners: SignalListeners): void {
    this.loops.finish();
    v8Workers.finish(this.#list);
    listeners.renew();
    if (this.#serves && !rehearsing) restoreSignals();
  }

  #compose(): void {
    const list = this.#list;
    const { _Fork, fork, memcpy, memset } = symbolAddresses();
    const caught = caughtSignals();
    const reach = (stage: number) => list.call(memset, this.#stage, stage, 1);
    const keepErrno = () => list.call(memcpy, this.#errno, errnoAddress(), 4);
    const rest = new Set(this.#rest.values());
    this.#snapshot.lookIn(list, rest);
    reach(STAGE.rested);
    this.#snapshot.lookIn(list, new Set(this.#shape));
    new AddressSpace().include(list);
    reach(STAGE.looked);
    list.unlessZero(this.#gate.make(list), () => {
      keepErrno();
      list.end();
    });
    reach(STAGE.piped);
    blockSignals(list, masks);
    // `fork` hands the stacks of the threads that are gone to new ones, while V8 still has lists of waiters that lead there.
    this.#fork = list.call(_Fork || fork);
    list.unlessZero(this.#fork, () => {
      keepErrno();
      unblockSignals(list, masks);
      list.unless(this.#fork, -1, () => {
        reach(STAGE.forked);
        this.#snapshot.lookIn(list, rest);
        this.#gate.open(list);
        reach(STAGE.kept);
      });
      list.end();
    });
    reach(STAGE.child);
    // All this while the parent sees whether the child is to go on.
    this.#gate.approach(list);
    this.loops.unshare(list);
    resetSignals(list, caught);
    v8Workers.restart(list);
    this.#gate.pass(list, () => {
      if (!this.#serves) unblockSignals(list, masks);
    });
    list.prepare();
  }
}

/** Ends a child that has not run a line of anybody's code. */
function discard(pid: number): typeof AGAIN {
  signalSymbols().kill(pid, SIGKILL);
  waitSymbols().waitpid(pid, null, 0);
  return AGAIN;
}
