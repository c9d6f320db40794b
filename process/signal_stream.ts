import { checkAbortSignal } from "../ffi/_arguments.ts";
import {
  catchableSignal,
  decodeSignal,
  type SignalInfo,
} from "./_signals/actions.ts";
import {
  type AsyncReceiver,
  caughtSignals,
} from "./_signals/caught_signals.ts";
import type { Signal } from "./signals.ts";

export type { SignalInfo };

/** Options for {@linkcode signals}. */
export interface SignalsOptions {
  /**
   * Ends the iteration with an error, the signal's reason. What has come before is still handed out.
   *
   * @default {undefined}
   */
  signal?: AbortSignal;
}

/** What {@linkcode signals} gives: the signals as they come, until it is disposed of or left. */
export interface SignalStream
  extends AsyncIterableIterator<SignalInfo, undefined>, AsyncDisposable {
  /** The next signal. Waiting for it keeps the process alive. */
  next(): Promise<IteratorResult<SignalInfo, undefined>>;
  /** Ends the iteration: the signals do what they did before. Twice without harm. Leaving a `for await` loop calls it. */
  return(): Promise<IteratorReturnResult<undefined>>;
  /** The same, without waiting until all is released. */
  [Symbol.dispose](): void;
  /** Itself. */
  [Symbol.asyncIterator](): SignalStream;
}

/**
 * Catches signals, and gives them one by one, with who has sent them: `sigwaitinfo(&set, &info)` as an asynchronous iteration.
 *
 * From the call on they do nothing else: neither their default, nor get they lost while the loop is busy with one. Real-time signals
 * arrive as often as they were sent, those from 1 to 31 at least once, since the kernel joins what comes at the same time.
 * Of two that hit different threads of Deno's at the same time, either may come first.
 * Listeners of `Deno.addSignalListener` for the same signals are called as well, and several iterations each have all of them.
 *
 * Nothing is polled in intervals, and the event loop is not blocked. Waiting for the next signal keeps the process alive. In a
 * forked child an iteration goes on with the child's own signals, and keeps it alive only once the child itself waits for the next.
 *
 * It ends when the loop is left, by {@linkcode SignalStream.return} or `using`, or with an error when the signal of
 * the options is aborted. The signals then do again what they did before.
 *
 * @param args The signals, by name or number, at least one; and last, if wanted, options.
 * @returns The signals that come.
 * @throws {PosixError} `ENOTSUP` in a worker, which is only one thread of the process; `EMFILE` if there is no descriptor free.
 * @throws {TypeError} If there is no signal of that name, or it cannot be caught: SIGKILL, SIGSTOP, and faults such as SIGSEGV.
 * @throws {RangeError} If there is no signal, or a number is none.
 *
 * @example Reacting until one of them ends the loop
 * ```ts
 * import { getpid, kill, signals } from "@posix/process/process";
 * import { assertEquals } from "@std/assert";
 *
 * const seen: string[] = [];
 * setTimeout(() => kill(getpid(), "SIGHUP"), 5);
 * for await (const { signal, pid } of signals("SIGHUP", "SIGTERM")) {
 *   assertEquals(pid, getpid()); // the sender
 *   seen.push(signal);
 *   if (signal === "SIGTERM") break;
 *   kill(getpid(), "SIGTERM");
 * }
 * assertEquals(seen, ["SIGHUP", "SIGTERM"]);
 * ```
 *
 * @see {@link https://man7.org/linux/man-pages/man2/sigwaitinfo.2.html | sigwaitinfo(2)}
 */
export function signals(
  ...args:
    | (Signal | number)[]
    | [...signals: (Signal | number)[], options: SignalsOptions]
): SignalStream {
  const last = args.at(-1);
  const { signal }: SignalsOptions = isOptions(last) ? last : {};
  const names = isOptions(last) ? args.slice(0, -1) : args;
  const numbers = names.map((name, index) =>
    catchableSignal(name as Signal, `signals[${index}]`)
  );
  if (numbers.length === 0) {
    throw new RangeError("'signals' must hold at least one signal");
  }
  checkAbortSignal(signal);
  signal?.throwIfAborted();
  return new Stream(new Set(numbers), signal);
}

function isOptions(value: unknown): value is SignalsOptions {
  return typeof value === "object" && value !== null;
}

type Next = PromiseWithResolvers<IteratorResult<SignalInfo, undefined>>;

class Stream implements SignalStream, AsyncReceiver {
  readonly holds = false;
  readonly #numbers: ReadonlySet<number>;
  readonly #signal: AbortSignal | undefined;
  readonly #abort = () => void this.#end({ error: this.#signal!.reason });
  #come: SignalInfo[] = [];
  #waiting: Next[] = [];
  #inherited = 0;
  #ending: Promise<void> | undefined;
  #failure: { error: unknown } | undefined;

  constructor(numbers: ReadonlySet<number>, signal: AbortSignal | undefined) {
    this.#numbers = numbers;
    this.#signal = signal;
    try {
      for (const number of numbers) caughtSignals.add(number, this);
      caughtSignals.serve(this);
    } catch (error) {
      for (const number of numbers) caughtSignals.remove(number, this);
      throw error;
    }
    signal?.addEventListener("abort", this.#abort);
  }

  get referenced(): boolean {
    return this.#waiting.length > this.#inherited;
  }

  receive(info: Uint8Array<ArrayBuffer>): void {
    const value = decodeSignal(info);
    const waiting = this.#waiting.shift();
    this.#inherited = Math.max(0, this.#inherited - 1);
    if (waiting === undefined) this.#come.push(value);
    else waiting.resolve({ done: false, value });
  }

  fail(error: unknown): void {
    void this.#end({ error });
  }

  renew(): void {
    this.#come = [];
    this.#inherited = this.#waiting.length;
  }

  async next(): Promise<IteratorResult<SignalInfo, undefined>> {
    caughtSignals.drain();
    const value = this.#come.shift();
    if (value !== undefined) return { done: false, value };
    if (this.#ending !== undefined) {
      await this.#ending;
      const failure = this.#failure;
      this.#failure = undefined;
      if (failure !== undefined) throw failure.error;
      return { done: true, value: undefined };
    }
    const waiting: Next = Promise.withResolvers();
    this.#waiting.push(waiting);
    caughtSignals.referencesChanged();
    return await waiting.promise;
  }

  async return(): Promise<IteratorReturnResult<undefined>> {
    this.#come = [];
    await this.#end(undefined);
    return { done: true, value: undefined };
  }

  [Symbol.dispose](): void {
    void this.return();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.return();
  }

  [Symbol.asyncIterator](): SignalStream {
    return this;
  }

  #end(failure: { error: unknown } | undefined): Promise<void> {
    if (this.#ending !== undefined) return this.#ending;
    this.#signal?.removeEventListener("abort", this.#abort);
    for (const number of this.#numbers) caughtSignals.remove(number, this);
    const [first, ...rest] = this.#waiting.splice(0);
    if (first === undefined) this.#failure = failure;
    this.#ending = caughtSignals.unserve(this).then(() => {
      if (failure === undefined) {
        first?.resolve({ done: true, value: undefined });
      } else first?.reject(failure.error);
      for (const { resolve } of rest) resolve({ done: true, value: undefined });
    });
    return this.#ending;
  }
}
