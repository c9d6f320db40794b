import { stopTimer, type Timer } from "../ffi/_deno_core.ts";
import { SIGNAL_NUMBERS, signalNumber } from "../ffi/_signals.ts";
import type { StreamHandle } from "../ipc/streams.ts";
import { WTERMSIG } from "../wait/status.ts";
import type { Rusage, WaitUsageResult } from "../wait/types.ts";
import type { Follower } from "../wait/wait_async.ts";
import type { Signal } from "./signals.ts";

/** What a `ChildProcess` is made of. Only the library can make it, and so only the library can make those. */
export class ChildParts {
  /** The child's pid. */
  readonly pid: number;
  /** The waiting for its end. */
  readonly follower: Follower;
  /** The parent's end of its standard input, where that is piped. */
  readonly stdin: StreamHandle<WritableStream<Uint8Array>> | undefined;
  /** The parent's end of its standard output, where that is piped. */
  readonly stdout: ReadableHandle | undefined;
  /** The parent's end of its standard error, where that is piped. */
  readonly stderr: ReadableHandle | undefined;
  /** Those of its standard output and error that are piped. */
  readonly outputs: readonly ReadableHandle[];

  constructor(
    pid: number,
    follower: Follower,
    stdio: Pick<ChildParts, "stdin" | "stdout" | "stderr">,
  ) {
    this.pid = pid;
    this.follower = follower;
    this.stdin = stdio.stdin;
    this.stdout = stdio.stdout;
    this.stderr = stdio.stderr;
    this.outputs = [this.stdout, this.stderr].filter((stream) =>
      stream !== undefined
    );
  }

  /** The streams that there are. */
  get streams(): StreamHandle<unknown>[] {
    return [this.stdin, this.stdout, this.stderr].filter((stream) =>
      stream !== undefined
    );
  }
}

type ReadableHandle = StreamHandle<ReadableStream<Uint8Array<ArrayBuffer>>>;

/** How long a child has between SIGTERM and SIGKILL, in milliseconds, where nothing else is said. */
const KILL_GRACE = 5000;

/** When a child is to be ended, if it has not ended by itself. */
export interface EndingPlan {
  /** Ends it when it aborts. */
  readonly signal?: AbortSignal | undefined;
  /** Ends it when so many milliseconds have passed. */
  readonly timeout?: number | undefined;
  /** How many milliseconds it has between SIGTERM and SIGKILL. */
  readonly killGrace?: number | undefined;
}

/**
 * Sees to a child's end: SIGTERM when somebody wants it, SIGKILL to one that takes no notice of it.
 *
 * When the time of grace is over, what is read of its output is closed as well: its own children may hold on to that.
 * Timers keep nothing alive: while the child does so itself they run, and once it has been let go nobody waits for them.
 */
class Supervision {
  readonly #parts: ChildParts;
  readonly #grace: number;
  readonly #signal: AbortSignal | undefined;
  readonly #abort = (): void => this.terminate();
  #deadline: Timer | undefined;
  #grim: Timer | undefined;
  #timedOut = false;
  #ended = false;

  /** Begins with the child's start. */
  constructor(parts: ChildParts, plan: EndingPlan = {}) {
    this.#parts = parts;
    this.#grace = plan.killGrace ?? KILL_GRACE;
    this.#signal = plan.signal;
    if (plan.timeout !== undefined) {
      this.#deadline = later(() => {
        this.#timedOut = true;
        this.terminate();
      }, plan.timeout);
    }
    this.#signal?.addEventListener("abort", this.#abort);
    const look = () => this.#lookWhatIsLeft();
    for (const { descriptor } of parts.outputs) descriptor.onClosed = look;
  }

  /** Has to be called when the child has ended, or nobody will get to know how. */
  childEnded(): void {
    this.#ended = true;
    this.#lookWhatIsLeft();
  }

  /** Whether the time that it had was over before it has ended. */
  get timedOut(): boolean {
    return this.#timedOut;
  }

  /** Asks the child to end, and sees to it that it does. Twice without harm. */
  terminate(): void {
    if (this.#grim !== undefined) return;
    if (this.#kill(SIGNAL_NUMBERS.SIGTERM)) {
      this.#grim = later(() => this.#forceEnd(), this.#grace);
    } else this.#forceEnd();
  }

  #forceEnd(): void {
    this.#kill(SIGNAL_NUMBERS.SIGKILL);
    for (const { end } of this.#parts.outputs) end().catch(() => {});
  }

  #kill(signal: number): boolean {
    try {
      return this.#parts.follower.kill(signal);
    } catch {
      // Another user's by now: it ends when it ends.
      return true;
    }
  }

  /** When the child has ended, and its output too, there is nothing left to see to. */
  #lookWhatIsLeft(): void {
    const { outputs } = this.#parts;
    if (!this.#ended || outputs.some(({ descriptor }) => !descriptor.ended)) {
      return;
    }
    stopTimer(this.#deadline);
    stopTimer(this.#grim);
    this.#signal?.removeEventListener("abort", this.#abort);
  }
}

function later(action: () => void, milliseconds: number): Timer {
  const timer = setTimeout(action, milliseconds);
  Deno.unrefTimer(timer);
  return timer;
}

/** How a child has ended: what `Deno.CommandStatus` says, and more. */
export interface ChildStatus {
  /** Whether it has ended by itself, with the exit code 0. */
  success: boolean;
  /** Its exit code; for one that was killed, 128 plus the number of the signal, as shells and `Deno.Command` have it. */
  code: number;
  /** The signal that killed it, such as `"SIGKILL"`; `null` if it has ended by itself, whatever its exit code. */
  signal: Signal | null;
  /** Whether the kernel reports a core dump. */
  coreDumped: boolean;
  /** Whether it was asked to end as the `timeout` that it was started with had passed. */
  timedOut: boolean;
  /** What it has used, together with those of its own children that it has waited for. */
  rusage: Rusage;
}

/** How a child has ended, and what it has written. */
export interface ChildOutput extends ChildStatus {
  /** All that it has written to its standard output; throws a `TypeError` if that is not piped. */
  readonly stdout: Uint8Array<ArrayBuffer>;
  /** All that it has written to its standard error; throws a `TypeError` if that is not piped. */
  readonly stderr: Uint8Array<ArrayBuffer>;
}

/**
 * A child of this process, as {@linkcode forkChild} and `spawn` give it; made the way of `Deno.ChildProcess`.
 *
 * It is waited for from the start and so never stays a zombie. Until it has ended it keeps this process alive, unless
 * {@linkcode ChildProcess.prototype.unref | ChildProcess.unref} says otherwise. Leave the waiting to it: a `wait()` for any child
 * would take the status away, and `status` would then be rejected with `ECHILD`.
 *
 * In a process that is forked later, the object belongs to the parent: `status` never settles there, and the child's pipes
 * are closed.
 *
 * @example A child that is ended with its block
 * ```ts
 * import { forkChild } from "@posix/process/process";
 * import { assertEquals } from "@std/assert";
 *
 * let status;
 * {
 *   await using child = await forkChild(() => new Promise(() => {}));
 *   status = child.status;
 * }
 * assertEquals((await status).signal, "SIGTERM");
 * ```
 *
 * @see {@link https://docs.deno.com/api/deno/~/Deno.ChildProcess | Deno.ChildProcess}
 */
export class ChildProcess implements AsyncDisposable {
  readonly #parts: ChildParts;
  readonly #supervision: Supervision;
  readonly #status: Promise<ChildStatus>;

  /**
   * Not for users: {@linkcode forkChild} and `spawn` make them.
   *
   * @ignore
   */
  constructor(parts: ChildParts, ending?: EndingPlan) {
    if (!(parts instanceof ChildParts)) {
      throw new TypeError("Illegal constructor");
    }
    this.#parts = parts;
    this.#supervision = new Supervision(parts, ending);
    // All in one step: each promise in between would be one more microtask before the status is there.
    this.#status = parts.follower.result.then((result) => {
      this.#supervision.childEnded();
      return statusOf(result, this.#supervision.timedOut);
    }, (error) => {
      this.#supervision.childEnded();
      throw error;
    });
    // A failure is for those who ask for the status; there may be none.
    this.#status.catch(() => {});
  }

  /** The child's pid. */
  get pid(): number {
    return this.#parts.pid;
  }

  /**
   * How the child has ended, as soon as it has; the same promise each time.
   *
   * Rejected with a `PosixError` of code `ECHILD` if somebody else has reaped the child.
   *
   * @example A status
   * ```ts
   * import { forkChild } from "@posix/process/process";
   * import { assertEquals } from "@std/assert";
   *
   * const child = await forkChild(() => 3);
   * const { success, code, signal } = await child.status;
   * assertEquals({ success, code, signal }, { success: false, code: 3, signal: null });
   * ```
   */
  get status(): Promise<ChildStatus> {
    return this.#status;
  }

  /**
   * What is written here, the child reads from its standard input; closing it is the end of that.
   *
   * @throws {TypeError} If the child's standard input is not piped.
   */
  get stdin(): WritableStream<Uint8Array> {
    return piped(this.#parts.stdin?.stream, "stdin");
  }

  /**
   * What the child writes to its standard output. It ends when nobody has that open any more, which may be later than
   * the child's end: its own children inherit it.
   *
   * @throws {TypeError} If the child's standard output is not piped.
   */
  get stdout(): ReadableStream<Uint8Array<ArrayBuffer>> {
    return piped(this.#parts.stdout?.stream, "stdout");
  }

  /**
   * What the child writes to its standard error.
   *
   * @throws {TypeError} If the child's standard error is not piped.
   */
  get stderr(): ReadableStream<Uint8Array<ArrayBuffer>> {
    return piped(this.#parts.stderr?.stream, "stderr");
  }

  /**
   * Waits for the child's end, and collects what it writes until then.
   *
   * @returns How it has ended, and what it has written to those of standard output and error that are piped.
   * @throws {TypeError} If one of them is locked, as somebody reads it already.
   *
   * @example Collecting output
   * ```ts
   * import { forkChild } from "@posix/process/process";
   * import { write } from "@posix/process/ipc";
   * import { assertEquals } from "@std/assert";
   *
   * const child = await forkChild(() => void write(2, "trouble"), { stderr: "piped" });
   * const { code, stderr } = await child.output();
   * assertEquals(code, 0);
   * assertEquals(new TextDecoder().decode(stderr), "trouble");
   * ```
   */
  async output(): Promise<ChildOutput> {
    const { stdout, stderr } = this.#parts;
    refuseLocked(stdout?.stream, "stdout");
    refuseLocked(stderr?.stream, "stderr");
    const [status, out, err] = await Promise.all([
      this.#status,
      collect(stdout?.stream),
      collect(stderr?.stream),
    ]);
    return {
      ...status,
      timedOut: this.#supervision.timedOut,
      get stdout() {
        return piped(out, "stdout");
      },
      get stderr() {
        return piped(err, "stderr");
      },
    };
  }

  /**
   * Waits for the child's end, and gives what it has written to its standard output as text. It does not judge: how the
   * child has ended, {@linkcode ChildProcess.prototype.status | ChildProcess.status} says.
   *
   * @returns The output, decoded as UTF-8.
   * @throws {TypeError} If standard output is not piped, or it or standard error is locked.
   *
   * @example Reading text
   * ```ts
   * import { forkChild } from "@posix/process/process";
   * import { write } from "@posix/process/ipc";
   * import { assertEquals } from "@std/assert";
   *
   * const child = await forkChild(() => void write(1, "你好"), { stdout: "piped" });
   * assertEquals(await child.text(), "你好");
   * ```
   */
  async text(): Promise<string> {
    piped(this.#parts.stdout, "stdout");
    const { stdout } = await this.output();
    return new TextDecoder().decode(stdout);
  }

  /**
   * `pidfd_send_signal(pidfd, sig)`: sends a signal to the child, and never to another process that has got its pid since.
   *
   * @param signal Its name or number; 0 sends nothing, and only asks.
   * @throws {TypeError} If the child has ended and is reaped, as with `Deno.ChildProcess`; or if there is no signal of that name.
   * @throws {RangeError} If the number is no integer from 0 to 64.
   * @throws {PosixError} `EPERM` if the child runs as another user by now.
   *
   * @example Ending a child
   * ```ts
   * import { forkChild } from "@posix/process/process";
   * import { assertEquals } from "@std/assert";
   *
   * const child = await forkChild(() => new Promise(() => {}));
   * child.kill("SIGKILL");
   * const { code, signal } = await child.status;
   * assertEquals({ code, signal }, { code: 137, signal: "SIGKILL" });
   * ```
   *
   * @see {@link https://man7.org/linux/man-pages/man2/pidfd_send_signal.2.html | pidfd_send_signal(2)}
   */
  kill(signal: Signal | number = "SIGTERM"): void {
    if (!this.#parts.follower.kill(signalNumber(signal))) {
      throw new TypeError("Child process has already terminated");
    }
  }

  /**
   * Has the child, and pending reads and writes of its streams, keep this process alive, as they do from the start.
   *
   * @throws {PosixError} `ENOTSUP` if this Deno does not let anybody say what keeps it alive.
   *
   * @example Waiting for it after all
   * ```ts
   * import { forkChild } from "@posix/process/process";
   * import { assertEquals } from "@std/assert";
   *
   * const child = await forkChild(() => 3);
   * child.unref();
   * child.ref();
   * assertEquals((await child.status).code, 3);
   * ```
   */
  ref(): void {
    this.#reference(true);
  }

  /**
   * Lets this process end though the child is running, or a read or write of its streams is pending.
   *
   * @throws {PosixError} `ENOTSUP` if this Deno does not let anybody say what keeps it alive.
   *
   * @example A child that outlives the program
   * ```ts
   * import { forkChild } from "@posix/process/process";
   * import { assert } from "@std/assert";
   *
   * const child = await forkChild(() => {}, { stdout: "null", newSession: true });
   * child.unref();
   * // The program may end now, and the child goes on. This one waits, to leave nothing behind:
   * child.ref();
   * assert((await child.status).success);
   * ```
   */
  unref(): void {
    this.#reference(false);
  }

  /**
   * Ends the child with SIGTERM if it is running, waits for its end, and closes its streams. Twice without harm.
   *
   * One that takes no notice of SIGTERM gets SIGKILL when its time of grace is over: five seconds, unless `killGrace` says
   * otherwise.
   */
  async [Symbol.asyncDispose](): Promise<void> {
    const { follower, streams } = this.#parts;
    follower.reference(true);
    this.#supervision.terminate();
    // Where somebody else has reaped it, it has ended as well.
    await this.#status.catch(() => {});
    await Promise.all(streams.map((stream) => stream.end()));
  }

  #reference(on: boolean): void {
    const { follower, streams } = this.#parts;
    follower.reference(on);
    for (const { descriptor } of streams) descriptor.reference(on);
  }
}

function statusOf(
  { raw, status, rusage }: WaitUsageResult,
  timedOut: boolean,
): ChildStatus {
  const killed = status.kind === "signaled" ? status : undefined;
  const code = status.kind === "exited" ? status.code : 128 + WTERMSIG(raw);
  return {
    success: code === 0,
    code,
    signal: (killed?.signal ?? null) as Signal | null,
    coreDumped: killed?.coreDumped ?? false,
    timedOut,
    rusage,
  };
}

function piped<T>(value: T | undefined, name: string): T {
  if (value !== undefined) return value;
  throw new TypeError(`Cannot get '${name}': '${name}' is not piped`);
}

function refuseLocked(stream: ReadableStream | undefined, name: string): void {
  if (!stream?.locked) return;
  throw new TypeError(`Cannot collect output: '${name}' is locked`);
}

async function collect(
  stream: ReadableStream<Uint8Array<ArrayBuffer>> | undefined,
): Promise<Uint8Array<ArrayBuffer> | undefined> {
  if (stream === undefined) return undefined;
  return new Uint8Array(await new Response(stream).arrayBuffer());
}
