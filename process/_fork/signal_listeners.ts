import { rehearsing } from "../../ffi/_after_fork.ts";
import { hasTestRunner } from "../../ffi/_deno_core.ts";
import { type Signal, signalNumber } from "../../ffi/_signals.ts";
import { signalSymbols } from "../../ffi/_symbols.ts";
import { SignalPipe } from "./signal_pipe.ts";

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
class SignalListeners {
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
  #inChild = false;
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
    return this.#inChild;
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
      if (this.#inChild) checkListener(signal, listener);
      else this.#native.add(signal, listener);
      const listeners = this.#listeners.get(signal) ?? new Set();
      this.#listeners.set(signal, listeners.add(listener));
      if (this.#inChild) this.#pipe.catch(numberOf(signal));
      this.#putBack(numberOf(signal));
      this.changed(numberOf(signal));
    };
    Deno.removeSignalListener = (signal, listener) => {
      if (!this.#inChild) this.#native.remove(signal, listener);
      const listeners = this.#listeners.get(signal);
      if (!listeners?.delete(listener)) return;
      if (listeners.size === 0) {
        this.#listeners.delete(signal);
        if (this.#inChild) this.#pipe.release(numberOf(signal));
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
    if (this.#prepared || this.#inChild) return;
    this.#prepared = true;
    if (hasTestRunner() || !/^2\.(9|[1-9]\d)\./.test(Deno.version.deno)) return;
    const nobody = () => {};
    this.#native.add("SIGUSR1", nobody);
    this.#native.remove("SIGUSR1", nobody);
  }

  /**
   * In a child: has the parent's listeners called for the child's own signals. From Deno they are taken away: it may have
   * been about to tell them of a signal that the parent had got, and only the parent.
   */
  renew(): void {
    if (rehearsing) return;
    if (this.displaced.size > 0) this.displaced.clear();
    for (const [signal, listeners] of this.#inChild ? [] : this.#listeners) {
      for (const listener of listeners) this.#native.remove(signal, listener);
    }
    this.#inChild = true;
    if (!this.isServing) return;
    this.#pipe.renew();
    for (const signal of this.#listeners.keys()) {
      this.#pipe.catch(numberOf(signal));
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
