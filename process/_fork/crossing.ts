import { rehearsing } from "../../ffi/_after_fork.ts";
import { cString } from "../../ffi/_arguments.ts";
import {
  CallList,
  type CallResult,
  symbolAddresses,
} from "../../ffi/_call_list.ts";
import {
  checkErrorNumber,
  checkZero,
  errnoAddress,
  errorFor,
} from "../../ffi/_libc.ts";
import {
  descriptorSymbols,
  signalSymbols,
  waitSymbols,
} from "../../ffi/_symbols.ts";
import { O_CLOEXEC, SIG_DFL, SIG_SETMASK } from "../../ffi/constants.ts";
import { SIGACTION, SIGSET } from "../../ffi/layouts.ts";
import { EventLoops } from "./event_loops.ts";
import { readProc } from "./proc_file.ts";
import { signalListeners } from "./signal_listeners.ts";
import { AddressSpace, type Part, readFile, Snapshot } from "./snapshot.ts";
import { NOTE_SIZE } from "./thread.ts";
import { v8Workers } from "./v8_workers.ts";

const all = new Uint8Array(new ArrayBuffer(SIGSET.size)).fill(0xff);
const former = new Uint8Array(new ArrayBuffer(SIGSET.size));

/** By calls of the list: blocks every signal for the calling thread. */
function blockSignals(list: CallList): void {
  list.call(symbolAddresses().pthread_sigmask, SIG_SETMASK, all, former);
}

/** By calls of the list: puts the mask back that {@linkcode blockSignals} found. */
function unblockSignals(list: CallList): void {
  list.call(symbolAddresses().pthread_sigmask, SIG_SETMASK, former, 0);
}

/** The same at once. */
function restoreSignals(): void {
  checkErrorNumber(
    signalSymbols().pthread_sigmask(SIG_SETMASK, former, null),
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

const WORD = Uint8Array.of(1);
const NOTHING = new Uint8Array(new ArrayBuffer(1));

/**
 * The pipe at which a forked child waits, before it has run a line of anybody's code, for the word to go.
 *
 * Only parent and child ever hold its writing end, so a parent that is killed meanwhile does not leave a child behind.
 */
class Gate {
  readonly #fds = new Int32Array(new ArrayBuffer(8));
  readonly #heard = new Uint8Array(new ArrayBuffer(1));
  #closeWriter!: CallResult;
  #read!: CallResult;
  #closeReader!: CallResult;

  /**
   * In the child, by calls of the list: waits for the word, does what `body` adds if it comes, and ends if it never does. This is
   * the end of the list.
   */
  pass(list: CallList, body: () => void): void {
    const { _exit, close, memcmp, read } = symbolAddresses();
    this.#closeWriter = list.call(close, -1);
    this.#read = list.call(read, -1, this.#heard, 1);
    list.unlessZero(list.call(memcmp, this.#heard, NOTHING, 1), () => {
      this.#closeReader = list.call(close, -1);
      body();
      list.end();
    });
    list.call(_exit, 1);
  }

  /** In the parent, before the fork: makes the pipe. */
  make(list: CallList): void {
    checkZero(
      descriptorSymbols().pipe2(this.#fds, O_CLOEXEC),
      "pipe2",
      () => "Cannot fork",
    );
    list.set(this.#closeWriter, 0, this.#fds[1]!);
    list.set(this.#read, 0, this.#fds[0]!);
    list.set(this.#closeReader, 0, this.#fds[0]!);
  }

  /** In the parent, after the fork: lets the child go. */
  open(): void {
    descriptorSymbols().write(this.#fds[1]!, WORD, 1n);
  }

  /** In the parent: closes the pipe. */
  close(): void {
    for (const fd of this.#fds) descriptorSymbols().close(fd);
  }
}

const SIGKILL = 9;

/** Room for `/proc/self/status`, of which the kernel gives no more at a time. */
const STATUS_SIZE = 4096;

/** What {@linkcode Crossing.go} gives when something had changed since it was looked at. */
export const AGAIN = -1;

type Bytes = Uint8Array<ArrayBuffer>;

/**
 * The fork itself, and what both sides do right before and after it: one list of calls, in which no JavaScript runs.
 *
 * It is put together from what is known of the process, and good for any number of forks as long as that is so. The other
 * threads must be at rest, which {@linkcode Crossing.holds} sees by how much each of them has run; that nothing has changed until
 * the fork was over is seen afterwards, while the child waits.
 */
export class Crossing {
  readonly #snapshot = new Snapshot();
  readonly #list = new CallList();
  readonly #memory = new AddressSpace();
  readonly #gate = new Gate();
  /** What it was put together for. */
  readonly #shape: readonly Part[];
  /** How much each thread had run when it was seen at rest, by its file. */
  readonly #rest: ReadonlyMap<string, Part>;
  /** Which of them have run since, after a fork. */
  readonly #runs: CallResult[] = [];
  readonly #fork: CallResult;
  readonly #errno = new Int32Array(new ArrayBuffer(4));
  /** Whether listeners for signals are to be served in the child before the first signal comes. */
  readonly #serves = signalListeners.isServing;
  readonly loops: EventLoops;
  /** Whether there is the thread of `Deno.watchFs`. */
  readonly watchesFiles: boolean;

  /** Puts it together for the threads that were seen at rest. */
  constructor(notes: ReadonlyMap<string, Bytes>, watchesFiles: boolean) {
    this.watchesFiles = watchesFiles;
    this.loops = new EventLoops();
    this.#shape = [
      ...this.#snapshot.addParts(CAUGHT.path, STATUS_SIZE, [
        [CAUGHT.name, CAUGHT.length],
        // Itself is one of them.
        [`\nThreads:\t${notes.size + 1}\n`, 0],
      ]),
      ...this.loops.files.entries().map(([path, length]) =>
        this.#snapshot.addFile(path, length + 1)
      ),
    ];
    this.#rest = new Map(
      notes.keys().map((path) => [
        path,
        this.#snapshot.addFile(path, NOTE_SIZE),
      ]),
    );
    this.#fork = this.#compose();
    this.#list.prepare();
    this.#snapshot.take();
    this.takeRest(notes);
  }

  /** Takes it that the threads are at rest, as noted; gives false where they are not the same ones. */
  takeRest(notes: ReadonlyMap<string, Bytes>): boolean {
    if (notes.size !== this.#rest.size) return false;
    for (const [path, note] of notes) {
      const part = this.#rest.get(path);
      if (part === undefined) return false;
      part.then.set(note);
    }
    return true;
  }

  /** Whether all is as it was put together for, and no thread has run since it was seen at rest. */
  holds(): boolean {
    return this.fits() && this.#areSame(this.#rest.values());
  }

  /** Looks whether all is as it was put together for. */
  fits(): boolean {
    this.#snapshot.look();
    return this.#serves === signalListeners.isServing &&
      this.#areSame(this.#shape);
  }

  #areSame(parts: Iterable<Part>): boolean {
    for (const part of parts) {
      if (!this.#snapshot.isSame(part)) return false;
    }
    return true;
  }

  /**
   * Forks, and keeps the child only if no other thread has run since it was seen at rest, and no memory was mapped. Gives 0 in
   * the child, which is not whole until {@linkcode Crossing.arrive}; in the parent the child's pid, or {@linkcode AGAIN}.
   *
   * @throws {PosixError} What `fork` throws; `EMFILE` if there is no descriptor free.
   */
  go(): number {
    this.#gate.make(this.#list);
    this.#list.run();
    return this.conclude(this.#list.result(this.#fork));
  }

  /** What {@linkcode Crossing.go} gives for what the fork has given. */
  conclude(pid: number): number {
    if (pid === 0) return pid;
    try {
      if (pid === -1) {
        throw errorFor(this.#errno[0]!, "fork", () => "Cannot fork");
      }
      if (!this.#wasQuiet()) return discard(pid);
      this.#gate.open();
      return pid;
    } finally {
      this.#gate.close();
    }
  }

  /** In the child: does what no call of the list can. */
  arrive(): void {
    this.loops.finish(this.#list);
    v8Workers.finish(this.#list);
    signalListeners.renew();
    if (this.#serves && !rehearsing) restoreSignals();
  }

  /** Whether new memory was in the way of the latest fork, so that this is of no use any more. */
  get isObstructed(): boolean {
    return !this.#memory.wasIncluded(this.#list);
  }

  #wasQuiet(): boolean {
    return !this.isObstructed && this.#memory.wasUnchanged() &&
      this.#runs.every((run) => this.#list.result(run) === 0);
  }

  #compose(): CallResult {
    const list = this.#list;
    const { _Fork, fork, memcmp, memcpy } = symbolAddresses();
    const caught = caughtSignals();
    blockSignals(list);
    this.#memory.include(list);
    // `fork` hands the stacks of the threads that are gone to new ones, while V8 still has lists of waiters that lead there.
    const forked = list.call(_Fork || fork);
    list.unlessZero(forked, () => {
      list.call(memcpy, new Uint8Array(this.#errno.buffer), errnoAddress(), 4);
      this.#memory.note(list);
      for (const [path, { then }] of this.#rest) {
        const now = new Uint8Array(new ArrayBuffer(NOTE_SIZE));
        readFile(list, cString(path, "path"), now);
        this.#runs.push(list.call(memcmp, now, then, NOTE_SIZE));
      }
      unblockSignals(list);
      list.end();
    });
    this.#gate.pass(list, () => {
      this.loops.unshare(list);
      resetSignals(list, caught);
      v8Workers.restart(list);
      if (!this.#serves) unblockSignals(list);
    });
    return forked;
  }
}

/** Ends a child that has not run a line of anybody's code. */
function discard(pid: number): typeof AGAIN {
  signalSymbols().kill(pid, SIGKILL);
  waitSymbols().waitpid(pid, null, 0);
  return AGAIN;
}
