import { forkSymbols } from "../../ffi/_symbols.ts";
import {
  SYS_brk,
  SYS_futex,
  SYS_madvise,
  SYS_mmap,
  SYS_mprotect,
  SYS_mremap,
  SYS_munmap,
  SYS_restart_syscall,
} from "../../ffi/constants.ts";
import { closeProc, openProc, rereadProc } from "./proc_file.ts";

/** What a thread is to the runtime; the names are cut at 15 characters by the kernel. */
type ThreadKind = "v8-worker" | "pool" | "other";

/** Who waits for a thread looks so often at once, and then with pauses. */
export const LOOKS_AT_ONCE = 10;
export const PAUSE_MICROSECONDS = 50;

const FUTEX_PRIVATE = 0x80;

/** Calls that an allocator makes with its lock held, and that can sleep: on the very lock of memory that a fork takes. */
const MEMORY_CALLS: ReadonlySet<number> = new Set([
  SYS_brk,
  SYS_madvise,
  SYS_mmap,
  SYS_mprotect,
  SYS_mremap,
  SYS_munmap,
]);

const V8_WORKER = new TextEncoder().encode("V8 ");
const POOL = new TextEncoder().encode("tokio-runtime");

/** What a `struct timespec` takes, which is 0 where the thread has ended. */
export const NOTE_SIZE = 16;

/** What makes the id of the clock that tells how long a thread has run of the id of the thread, as `pthread_getcpuclockid` does. */
const THREAD_CLOCK = { shift: 3, kind: 6 } as const;

const line = new Uint8Array(new ArrayBuffer(256));

/**
 * One thread of this process, as /proc shows it. Its files are opened once; looking at it again allocates nothing, or
 * the looking itself would feed V8's collector and so wake the threads that are to rest.
 */
export class Thread {
  readonly tid: number;
  /** The clock that tells how long it has run, to the nanosecond, and also while it does. */
  readonly clock: number;
  readonly #commFile: number;
  readonly #syscallFile: number;
  /** How long it had run when that was noted. */
  readonly noted: Uint8Array<ArrayBuffer> = new Uint8Array(
    new ArrayBuffer(NOTE_SIZE),
  );
  readonly #now = new Uint8Array(new ArrayBuffer(NOTE_SIZE));
  /** What it is, by its name; a young one still bears its creator's, so an unknown one is asked at each look. */
  kind: ThreadKind = "other";
  /** Whether it sleeps in a system call, as of the last look. */
  asleep = false;
  /** The number of that system call. */
  syscall = -1;
  /** Its first four arguments. */
  readonly arguments: Float64Array = new Float64Array(4);

  constructor(tid: number) {
    this.tid = tid;
    const directory = `/proc/self/task/${tid}`;
    this.clock = ~tid << THREAD_CLOCK.shift | THREAD_CLOCK.kind;
    const files: number[] = [];
    try {
      for (const name of ["comm", "syscall"]) {
        files.push(openProc(`${directory}/${name}`));
      }
    } catch (error) {
      for (const file of files) closeProc(file);
      throw error;
    }
    [this.#commFile, this.#syscallFile] = files as [number, number];
  }

  /** What it is and does, for an error message: `V8 DefaultWorke (123, running)`. */
  describe(): string {
    const doing = this.asleep ? `in system call ${this.syscall}` : "running";
    return `${this.name} (${this.tid}, ${doing})`;
  }

  /** Its name, such as `tokio-runtime-w`. */
  get name(): string {
    const count = rereadProc(this.#commFile, line);
    return new TextDecoder().decode(line.subarray(0, count)).trimEnd();
  }

  /** Looks at what it is doing right now. */
  look(): void {
    if (this.kind === "other") this.#learnKind();
    const count = rereadProc(this.#syscallFile, line);
    // "running", "-1 0x… 0x…" (asleep, but not in a system call) or "202 0x… 0x… …"; empty where it has ended.
    this.asleep = count > 0 && line[0]! >= 0x30 && line[0]! <= 0x39;
    if (!this.asleep) return;
    let at = 0;
    let number = 0;
    for (; line[at] !== 0x20; at++) number = number * 10 + line[at]! - 0x30;
    this.syscall = number;
    for (let index = 0; index < this.arguments.length; index++) {
      this.arguments[index] = hexadecimalAt(at + 3);
      while (line[++at] !== 0x20);
    }
  }

  #learnKind(): void {
    rereadProc(this.#commFile, line);
    if (startsWith(line, V8_WORKER)) this.kind = "v8-worker";
    else if (startsWith(line, POOL)) this.kind = "pool";
  }

  /**
   * Whether it is in the middle of nothing. V8's workers rest on a futex alone; any other thread may sleep in any system call,
   * but not within an allocator.
   */
  get rests(): boolean {
    if (this.kind === "v8-worker") return this.#onPrivateFutex;
    return this.asleep && !MEMORY_CALLS.has(this.syscall);
  }

  /** Whether it waits on a futex for a limited time, as an idle thread of the pool does; for a lock one waits without limit. */
  get onTimedFutex(): boolean {
    return this.#onPrivateFutex && this.arguments[3] !== 0;
  }

  get #onPrivateFutex(): boolean {
    // A wait with a time limit that a signal has interrupted goes on by another call, with the arguments of the first.
    const { syscall } = this;
    return this.asleep &&
      (syscall === SYS_futex || syscall === SYS_restart_syscall) &&
      (this.arguments[1]! & FUTEX_PRIVATE) !== 0;
  }

  /** Notes how long it has run. */
  note(): void {
    this.#readClock(this.noted);
  }

  #readClock(into: Uint8Array<ArrayBuffer>): void {
    into.fill(0);
    forkSymbols().clock_gettime(this.clock, into);
  }

  /** Whether it has run since it was noted. */
  hasRun(): boolean {
    this.#readClock(this.#now);
    for (let at = 0; at < this.#now.length; at++) {
      if (this.#now[at] !== this.noted[at]) return true;
    }
    return false;
  }

  /** Closes its files. */
  close(): void {
    closeProc(this.#commFile);
    closeProc(this.#syscallFile);
  }
}

/** The number after "0x" at an offset of the line. */
function hexadecimalAt(offset: number): number {
  let number = 0;
  for (let at = offset; at < line.length; at++) {
    const byte = line[at]!;
    const digit = byte >= 0x61 ? byte - 0x57 : byte - 0x30;
    if (digit < 0 || digit > 15) break;
    number = number * 16 + digit;
  }
  return number;
}

function startsWith(bytes: Uint8Array, prefix: Uint8Array): boolean {
  for (let at = 0; at < prefix.length; at++) {
    if (bytes[at] !== prefix[at]) return false;
  }
  return true;
}
