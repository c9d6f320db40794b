import { generation } from "../../ffi/_after_fork.ts";
import { cString } from "../../ffi/_arguments.ts";
import { hasTestRunner, unrefOp } from "../../ffi/_deno_core.ts";
import { checkZero } from "../../ffi/_libc.ts";
import { PoolPoll } from "../../ffi/_pool_poll.ts";
import { type Signal, signalNumber } from "../../ffi/_signals.ts";
import {
  allocationSymbols,
  descriptorSymbols,
  handlerSymbols,
  memorySymbols,
  signalSymbols,
} from "../../ffi/_symbols.ts";
import { O_CLOEXEC, O_NONBLOCK, POLLIN } from "../../ffi/constants.ts";
import { SIGACTION } from "../../ffi/layouts.ts";

const SA_RESTART = 0x1000_0000;
const UNBUFFERED = 2;

/**
 * Signals as bytes in a pipe: the self-pipe trick, with a handler that libc has ready.
 *
 * A handler may run on any thread at any time, so it cannot be JavaScript. What is wanted of it is to write the signal's
 * number to a pipe, and `putchar` is just that: `int putchar(int)` takes what a handler is given, and writes it to the
 * stream that the variable `stdout` names. glibc lets that be set; nothing else in Deno uses it. The stream is unbuffered,
 * and handlers of one thread do not interrupt each other, as all signals are blocked while one runs.
 */
class SignalPipe {
  readonly #fds = new Int32Array(2);
  readonly #bytes = new Uint8Array(new ArrayBuffer(256));
  readonly #formerActions = new Map<number, Uint8Array<ArrayBuffer>>();
  readonly #formerStdout = new BigUint64Array(1);
  readonly #onSignal: (signal: number) => void;
  #stream = 0n;

  constructor(onSignal: (signal: number) => void) {
    this.#onSignal = onSignal;
  }

  /** Before a fork: binds what it calls, or each child that catches signals would have to. */
  prepare(): void {
    allocationSymbols();
    handlerSymbols();
    memorySymbols();
  }

  /** Catches a signal; what was done with it before is done again once it is released. */
  catch(signal: number): void {
    if (this.#stream === 0n) this.#open();
    if (this.#formerActions.has(signal)) return;
    const former = new Uint8Array(SIGACTION.size);
    this.#act(signal, this.#action(), former);
    this.#formerActions.set(signal, former);
  }

  /** Catches a signal no more. */
  release(signal: number): void {
    const former = this.#formerActions.get(signal);
    if (former === undefined) return;
    this.#act(signal, former, null);
    this.#formerActions.delete(signal);
    if (this.#formerActions.size === 0) this.#close();
  }

  /** In a child of this process: catches the same signals in a pipe of its own, under the same numbers. */
  renew(): void {
    if (this.#stream === 0n) return;
    const fds = newPipe();
    for (const [index, fd] of fds.entries()) {
      descriptorSymbols().dup3(fd, this.#fds[index]!, O_CLOEXEC);
      descriptorSymbols().close(fd);
    }
    for (const signal of this.#formerActions.keys()) {
      this.#act(signal, this.#action(), null);
    }
    this.#listen();
  }

  #open(): void {
    const libc = handlerSymbols();
    this.#fds.set(newPipe());
    this.#stream = libc.fdopen(this.#fds[1]!, cString("w", "mode"));
    libc.setvbuf(this.#stream, null, UNBUFFERED, 0n);
    const stdout = libc.address_of(libc.stdout, null, 0n);
    memorySymbols().memcpy(this.#formerStdout, stdout, 8n);
    memorySymbols().store(stdout, BigUint64Array.of(this.#stream), 8n);
    this.#listen();
  }

  /** Puts `stdout` back and has the listening end, which closes the rest. */
  #close(): void {
    const libc = handlerSymbols();
    const stdout = libc.address_of(libc.stdout, null, 0n);
    memorySymbols().store(stdout, this.#formerStdout, 8n);
    libc.fclose(this.#stream);
    this.#stream = 0n;
    this.#fds.fill(-1);
  }

  /**
   * Hands on what comes out of the pipe until its writing end is closed; keeps no process alive, as in Deno. In a child
   * the parent's call never comes back.
   */
  async #listen(): Promise<void> {
    const fd = this.#fds[0]!;
    const poll = new PoolPoll();
    for (;;) {
      const call = poll.start([{ fd, events: POLLIN }]);
      unrefOp(call);
      await call;
      const count = descriptorSymbols().read(fd, this.#bytes, 256n);
      if (count === 0) break;
      for (const signal of this.#bytes.slice(0, Math.max(0, count))) {
        this.#onSignal(signal);
      }
    }
    poll.close();
    descriptorSymbols().close(fd);
  }

  #action(): Uint8Array<ArrayBuffer> {
    const libc = handlerSymbols();
    const action = new Uint8Array(SIGACTION.size);
    const view = new DataView(action.buffer);
    const { sa_handler, sa_mask, sa_flags } = SIGACTION.fields;
    const putchar = libc.address_of(libc.putchar, null, 0n);
    view.setBigUint64(sa_handler, putchar, true);
    action.fill(0xff, sa_mask, sa_flags);
    view.setInt32(sa_flags, SA_RESTART, true);
    return action;
  }

  #act(
    signal: number,
    action: Uint8Array<ArrayBuffer>,
    former: Uint8Array<ArrayBuffer> | null,
  ): void {
    checkZero(
      signalSymbols().sigaction(signal, action, former),
      "sigaction",
      () => `Cannot catch signal ${signal}`,
    );
  }
}

function newPipe(): Int32Array {
  const fds = new Int32Array(2);
  checkZero(
    descriptorSymbols().pipe2(fds, O_CLOEXEC | O_NONBLOCK),
    "pipe2",
    () => "Cannot catch signals",
  );
  return fds;
}

type Listener = () => void;

/** The faults, which no program goes on from, and the two that nobody can catch: Deno refuses them, and so must we. */
const FORBIDDEN: ReadonlySet<string> = new Set([
  "SIGKILL",
  "SIGSTOP",
  "SIGILL",
  "SIGFPE",
  "SIGSEGV",
]);

/**
 * The listeners of `Deno.addSignalListener`, which a forked child shares with its parent as it shares all memory.
 *
 * Deno calls them from a thread that a child does not have. Which they are cannot be asked, so they are noted as they are
 * added, from the moment that this module is loaded; in a child they are served by a {@linkcode SignalPipe}, and so are
 * those that it adds. `node:process` and `Deno.serve` go through the same two functions.
 */
export class SignalListeners {
  readonly #listeners = new Map<Deno.Signal, Set<Listener>>();
  readonly #pipe = new SignalPipe((number) => {
    for (const [signal, listeners] of this.#listeners) {
      if (numberOf(signal) !== number) continue;
      for (const listener of [...listeners]) listener();
    }
  });
  readonly #native = {
    add: Deno.addSignalListener,
    remove: Deno.removeSignalListener,
  };
  #prepared = false;
  /**
   * Handlers of listeners that the library has taken out, by signal. Deno puts each in place only once, so that a listener that
   * is added later needs it back. A child has others.
   */
  readonly displaced: Map<number, Uint8Array<ArrayBuffer>> = new Map();
  /** Called with the number of each signal whose listeners have changed. */
  changed: (signal: number) => void = () => {};

  /** Whether this is a forked child, where the library serves the listeners. */
  get inChild(): boolean {
    return generation > 0;
  }

  /** Whether anybody listens for a signal, but for the one given. */
  listens(signal: number, except?: Listener): boolean {
    return [...this.#listeners].some(([name, listeners]) =>
      numberOf(name) === signal &&
      [...listeners].some((listener) => listener !== except)
    );
  }

  /** Whether there are any, which are a forked child's as well. */
  get isServing(): boolean {
    return this.#listeners.size > 0;
  }

  /** The signals that somebody listens for. */
  get numbers(): number[] {
    return [...this.#listeners.keys()].map(numberOf);
  }

  /** Puts itself between the program and Deno's two functions. */
  intercept(): void {
    Deno.addSignalListener = (signal, listener) => {
      if (this.inChild) checkListener(signal, listener);
      else this.#native.add(signal, listener);
      const listeners = this.#listeners.get(signal) ?? new Set();
      this.#listeners.set(signal, listeners.add(listener));
      if (this.inChild) this.#pipe.catch(numberOf(signal));
      this.#putBack(numberOf(signal));
      this.changed(numberOf(signal));
    };
    Deno.removeSignalListener = (signal, listener) => {
      if (!this.inChild) this.#native.remove(signal, listener);
      const listeners = this.#listeners.get(signal);
      if (!listeners?.delete(listener)) return;
      if (listeners.size === 0) {
        this.#listeners.delete(signal);
        if (this.inChild) this.#pipe.release(numberOf(signal));
      }
      this.changed(numberOf(signal));
    };
  }

  /**
   * Before a fork: readies what serves the listeners in the child, and has Deno set up its catching of signals now if it has not
   * yet.
   *
   * From 2.9 on Deno does so half a second after the start of a program, for the sake of SIGUSR1, and sets handlers for SIGHUP,
   * SIGINT and SIGTERM as well. In a child that was forked before that it would put them over those of our listeners. Where
   * it has been done in the parent, the child has it behind it.
   */
  prepare(): void {
    if (this.#listeners.size > 0) this.#pipe.prepare();
    if (this.#prepared || this.inChild) return;
    this.#prepared = true;
    if (hasTestRunner() || !/^2\.(9|[1-9]\d)\./.test(Deno.version.deno)) return;
    const nobody = () => {};
    this.#native.add("SIGUSR1", nobody);
    this.#native.remove("SIGUSR1", nobody);
  }

  /**
   * In a child, before it counts as one: has the parent's listeners called for the child's own signals. From Deno they are taken away: it may have
   * been about to tell them of a signal that the parent had got, and only the parent.
   */
  renew(): void {
    if (this.displaced.size > 0) this.displaced.clear();
    if (!this.isServing) return;
    if (!this.inChild) this.#takeFromDeno();
    this.#pipe.renew();
    for (const signal of this.#listeners.keys()) {
      this.#pipe.catch(numberOf(signal));
    }
  }

  #takeFromDeno(): void {
    for (const [signal, listeners] of this.#listeners) {
      for (const listener of listeners) this.#native.remove(signal, listener);
    }
  }

  /** Puts the handler back in place that serves the listeners. */
  #putBack(signal: number): void {
    const action = this.displaced.get(signal);
    if (action === undefined) return;
    this.displaced.delete(signal);
    signalSymbols().sigaction(signal, action, null);
  }
}

function numberOf(signal: Deno.Signal): number {
  return signalNumber(signal as Signal);
}

function checkListener(signal: Deno.Signal, listener: Listener): void {
  if (typeof listener !== "function") {
    throw new TypeError(
      `Signal listener must be a function. "${typeof listener}" is given.`,
    );
  }
  if (FORBIDDEN.has(signal)) {
    throw new TypeError(`Binding to signal '${signal}' is not allowed`);
  }
  numberOf(signal);
}

/** Those of this process. */
export const signalListeners: SignalListeners = new SignalListeners();

// The one thing that importing the library does: a listener that was added before the first fork must be known by then.
signalListeners.intercept();
