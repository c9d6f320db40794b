import { addressOf, StringRoom } from "../ffi/_arguments.ts";
import {
  CallList,
  type CallResult,
  int,
  symbolAddresses,
} from "../ffi/_call_list.ts";
import { errnoAddress, errorFor, readErrno } from "../ffi/_libc.ts";
import { SIGNAL_NUMBERS } from "../ffi/_signals.ts";
import {
  descriptorSymbols,
  processSymbols,
  waitSymbols,
} from "../ffi/_symbols.ts";
import {
  CLONE_CLEAR_SIGHAND,
  CLONE_FILES,
  CLONE_PIDFD,
  CLONE_VFORK,
  CLONE_VM,
  PR_GET_DUMPABLE,
  PR_SET_DUMPABLE,
  SIG_DFL,
  SIG_IGN,
  SIG_SETMASK,
  SYS_clone,
  SYS_clone3,
} from "../ffi/constants.ts";
import { ERRNO } from "../ffi/errors.ts";
import { CLONE_ARGS, SIGACTION, SIGSET } from "../ffi/layouts.ts";
import { defaultDisposition, programPaths } from "./_become.ts";
import {
  childSteps,
  programFailure,
  type Step,
  stepFailure,
} from "./_child_steps.ts";
import type { Launch } from "./_launch.ts";

const EXIT_CODE = 127;
const INT = 4;
const FAILED = -1;
const NO_STEP = -1;
const REFUSED = 0;
const FLAGS = CLONE_VM | CLONE_VFORK | CLONE_PIDFD;

/** Errors with which the search goes on in the next directory of `PATH`, as it does in glibc. */
const GOES_ON: readonly number[] = [
  ERRNO.ENOENT,
  ERRNO.EACCES,
  ERRNO.ENOTDIR,
  ERRNO.ESTALE,
  ERRNO.ENODEV,
  ERRNO.ETIMEDOUT,
];

/** The signals for which there may be a handler: 9 and 19 are the kernel's, 32 and 33 glibc's. */
const CATCHABLE: readonly number[] = Array.from({ length: 64 }, (_, i) => i + 1)
  .filter((signal) => ![9, 19, 32, 33].includes(signal));

/** What the kernel can do, if nobody forbids it; `undefined` as long as it was not tried. */
export const kernel: {
  /** Whether it takes the parent's handlers from a child by itself, from Linux 5.5 on. */
  clearsHandlers: boolean | undefined;
  /** Whether it closes all descriptors from some number on, from Linux 5.9 on. */
  closesRanges: boolean | undefined;
} = { clearsHandlers: undefined, closesRanges: undefined };

/** How many lists are kept. */
const LISTS_MAX = 16;

/** Lists of calls for what was done. */
const lists: ChildList[] = [];

/** A child that has become a program. */
export interface Started {
  readonly pid: number;
  /** What refers to it, for the caller to close. */
  readonly pidfd: number;
}

/**
 * Starts a program: `vfork(2)`, the steps, `execve(2)`.
 *
 * The child has this process's memory, not a copy, and this thread stands still until it has executed the program. So nothing
 * is copied, however large this process is, and the other threads are of no concern. All that the child does are calls of a
 * list, without JavaScript; it writes into the memory which step has failed, if one has.
 */
export function vforkExec(launch: Launch): Started {
  const steps = childSteps(launch);
  const paths = programPaths(launch.file);
  const clearsHandlers = kernel.clearsHandlers !== false;
  const sharesFiles = launch.fileActions[0]?.do === "copy standard streams";
  const flags = FLAGS + (sharesFiles ? CLONE_FILES : 0) +
    (clearsHandlers ? CLONE_CLEAR_SIGHAND : 0);
  const list = lists.find((list) => list.fits(steps, paths, flags)) ??
    newList(steps, paths, flags);
  const { uid, gid } = launch.settings ?? {};
  const start = () => list.start(launch, steps, paths);
  const pid = uid === undefined && gid === undefined
    ? start()
    : withDumpable(start);
  kernel.clearsHandlers = pid !== REFUSED && clearsHandlers;
  return pid === REFUSED ? vforkExec(launch) : { pid, pidfd: list.pidfd };
}

/**
 * Does something, and has this process dump core afterwards as it did before: with the identity of a child that has its memory,
 * the kernel takes that from all who have it.
 */
function withDumpable<T>(body: () => T): T {
  const { prctl } = processSymbols();
  const before = prctl(PR_GET_DUMPABLE, 0n);
  try {
    return body();
  } finally {
    if (before === 1) prctl(PR_SET_DUMPABLE, 1n);
  }
}

function newList(...what: ConstructorParameters<typeof ChildList>): ChildList {
  if (lists.length === LISTS_MAX) lists.length = 0;
  const list = new ChildList(...what);
  lists.push(list);
  return list;
}

/** The calls for programs that are reached by the same steps. */
class ChildList {
  readonly #list = new CallList();
  readonly #flags: number;
  readonly #clone: CallResult;
  /** The steps as they were done the latest time. */
  readonly #steps: Step[];
  readonly #calls: CallResult[] = [];
  readonly #searches: CallResult[] = [];
  readonly #mask = memory(SIGSET.size);
  readonly #formerMask = memory(SIGSET.size);
  readonly #pidfd = new Int32Array(new ArrayBuffer(INT));
  /** The number of the step that has failed; that of the program is the number of the steps. */
  readonly #failed = new Int32Array(new ArrayBuffer(INT));
  readonly #errno = new Int32Array(new ArrayBuffer(INT));
  /** What was wrong with each path. */
  readonly #pathErrnos: Int32Array<ArrayBuffer>;
  readonly #paths = new StringRoom();
  readonly #args = new StringRoom();

  constructor(
    steps: readonly Step[],
    paths: readonly string[],
    flags: number,
  ) {
    this.#flags = flags;
    this.#steps = [...steps];
    this.#pathErrnos = new Int32Array(new ArrayBuffer(paths.length * INT));
    const list = this.#list;
    const addresses = symbolAddresses();
    const { pthread_sigmask } = addresses;
    // A handler of this process's must not run in the child.
    list.call(pthread_sigmask, SIG_SETMASK, EVERY_SIGNAL, this.#formerMask);
    this.#clone = this.#clearsHandlers ? this.#addClone3() : this.#addClone();
    list.unlessZero(this.#clone, () => {
      // If the child has failed, it is the child's: it is the same memory.
      this.#noteErrno(this.#errno);
      list.call(pthread_sigmask, SIG_SETMASK, this.#formerMask, 0);
      list.end();
    });
    if (!this.#clearsHandlers) this.#dropHandlers();
    for (const [index, step] of steps.entries()) {
      const call = list.call(addresses[step.call], ...step.arguments);
      this.#calls.push(call);
      if (step.gives !== undefined) {
        list.unless(call, step.gives, () => this.#leave(index));
      }
    }
    list.call(pthread_sigmask, SIG_SETMASK, this.#mask, 0);
    this.#search(paths.length, () => this.#leave(steps.length));
    list.prepare();
  }

  /** Whether programs are reached by the same calls. */
  fits(
    steps: readonly Step[],
    paths: readonly string[],
    flags: number,
  ): boolean {
    if (
      steps.length !== this.#steps.length ||
      paths.length !== this.#searches.length ||
      flags !== this.#flags
    ) return false;
    for (let index = 0; index < steps.length; index++) {
      const { call, gives } = this.#steps[index]!;
      const other = steps[index]!;
      if (other.call !== call || other.gives !== gives) return false;
    }
    return true;
  }

  /** Starts a program for which all the same is done, and gives its pid; {@linkcode REFUSED} where the kernel has no such clone. */
  start(
    launch: Launch,
    steps: readonly Step[],
    paths: readonly string[],
  ): number {
    this.#prepare(launch, steps, paths);
    this.#list.run();
    const pid = this.#list.result(this.#clone);
    const failed = this.#failed[0]!;
    const errno = this.#errno[0]!;
    if (pid !== FAILED && failed === NO_STEP) return pid;
    if (pid === FAILED) {
      if (this.#clearsHandlers && REFUSALS.includes(errno)) return REFUSED;
      throw errorFor(
        errno,
        "clone",
        () => `Cannot start ${JSON.stringify(launch.file)}`,
      );
    }
    discard(pid, this.pidfd);
    if (failed < steps.length) throw stepFailure(steps[failed]!, launch, errno);
    const wasDenied = GOES_ON.includes(errno) &&
      this.#pathErrnos.includes(ERRNO.EACCES);
    throw programFailure(launch, wasDenied ? ERRNO.EACCES : errno);
  }

  get #clearsHandlers(): boolean {
    return this.#flags >= CLONE_CLEAR_SIGHAND;
  }

  /** What refers to the latest child. */
  get pidfd(): number {
    return this.#pidfd[0]!;
  }

  #prepare(
    launch: Launch,
    steps: readonly Step[],
    paths: readonly string[],
  ): void {
    const list = this.#list;
    for (let index = 0; index < steps.length; index++) {
      const step = steps[index]!;
      if (step === this.#steps[index]) continue;
      this.#steps[index] = step;
      const call = this.#calls[index]!;
      const values = step.arguments;
      for (let at = 0; at < values.length; at++) {
        list.set(call, at, values[at]!);
      }
    }
    this.#mask.set(launch.signals.blocked);
    this.#paths.array(paths);
    this.#args.array(launch.args);
    for (let index = 0; index < paths.length; index++) {
      const call = this.#searches[index]!;
      list.set(call, 0, this.#paths.pointers[index]!);
      list.set(call, 1, this.#args.address);
      list.set(call, 2, launch.environment.address);
    }
    this.#failed[0] = NO_STEP;
    this.#pathErrnos.fill(0);
  }

  /** Adds the call that makes the child, which goes on with the same stack: it gives 0 there, and the pid here. */
  #addClone3(): CallResult {
    const args = memory(CLONE_ARGS.size);
    const view = new DataView(args.buffer);
    const { flags, pidfd, exit_signal } = CLONE_ARGS.fields;
    const { SIGCHLD } = SIGNAL_NUMBERS;
    view.setBigUint64(flags, BigInt(this.#flags), true);
    view.setBigUint64(pidfd, addressOf(this.#pidfd.buffer), true);
    view.setBigUint64(exit_signal, BigInt(SIGCHLD), true);
    const { syscall } = symbolAddresses();
    return this.#list.call(syscall, SYS_clone3, args, args.length);
  }

  /** The same for kernels that leave the parent's handlers to the child. */
  #addClone(): CallResult {
    const flags = this.#flags | SIGNAL_NUMBERS.SIGCHLD;
    const pidfd = bytesOf(this.#pidfd);
    const { syscall } = symbolAddresses();
    return this.#list.call(syscall, SYS_clone, flags, 0, pidfd, 0, 0);
  }

  /** In the child: gives all signals that this process handles their default actions. */
  #dropHandlers(): void {
    const list = this.#list;
    const { memcmp, sigaction } = symbolAddresses();
    const current = memory(SIGACTION.size);
    const handler = current.subarray(SIGACTION.fields.sa_handler);
    const byDefault = defaultDisposition();
    const isNot = (disposition: number) =>
      list.call(memcmp, handler, pointer(disposition), POINTER);
    for (const signal of CATCHABLE) {
      list.call(sigaction, signal, 0, current);
      list.unlessZero(
        isNot(SIG_DFL),
        () =>
          list.unlessZero(
            isNot(SIG_IGN),
            () => list.call(sigaction, signal, byDefault, 0),
          ),
      );
    }
  }

  /** In the child: executes the program, wherever it is found first. */
  #search(paths: number, leave: () => void): void {
    const { execve } = symbolAddresses();
    for (let index = 0; index < paths; index++) {
      this.#searches.push(this.#list.call(execve, 0, 0, 0));
      this.#noteErrno(this.#pathErrnos, index);
      if (index < paths - 1) this.#unlessGoesOn(GOES_ON, leave);
    }
    leave();
  }

  #unlessGoesOn([first, ...others]: readonly number[], body: () => void): void {
    if (first === undefined) return body();
    const { memcmp } = symbolAddresses();
    this.#list.unlessZero(
      this.#list.call(memcmp, errnoAddress(), int(first), INT),
      () => this.#unlessGoesOn(others, body),
    );
  }

  /** In the child: says which step has failed, and ends. */
  #leave(step: number): void {
    const { memcpy, _exit } = symbolAddresses();
    this.#list.call(memcpy, bytesOf(this.#failed), int(step), INT);
    this.#list.call(_exit, EXIT_CODE);
  }

  #noteErrno(where: Int32Array<ArrayBuffer>, index = 0): void {
    const { memcpy } = symbolAddresses();
    const place = bytesOf(where).subarray(index * INT);
    this.#list.call(memcpy, place, errnoAddress(), INT);
  }
}

/** Errors with which a kernel, or who guards it, refuses a call that it does not know. */
const REFUSALS: readonly number[] = [ERRNO.ENOSYS, ERRNO.EINVAL, ERRNO.EPERM];

const POINTER = 8;
const EVERY_SIGNAL = memory(SIGSET.size).fill(0xff);

function memory(size: number): Uint8Array<ArrayBuffer> {
  return new Uint8Array(new ArrayBuffer(size));
}

function bytesOf(words: Int32Array<ArrayBuffer>): Uint8Array<ArrayBuffer> {
  return new Uint8Array(words.buffer);
}

function pointer(value: number): Uint8Array<ArrayBuffer> {
  const bytes = memory(POINTER);
  new DataView(bytes.buffer).setBigInt64(0, BigInt(value), true);
  return bytes;
}

/** Takes note of the end of a child that did not get to its program. */
function discard(pid: number, pidfd: number): void {
  descriptorSymbols().close(pidfd);
  const { waitpid } = waitSymbols();
  const status = new Int32Array(1);
  // Where SIGCHLD is ignored there is nothing to reap.
  while (waitpid(pid, status, 0) === -1 && readErrno() === ERRNO.EINTR);
}
