import { onForkedChild } from "../../ffi/_after_fork.ts";
import { POLLIN, SIG_DFL } from "../../ffi/constants.ts";
import { ERRNO, PosixError } from "../../ffi/errors.ts";
import { forkSymbols } from "../../ffi/_symbols.ts";
import { poll } from "../../ipc/poll.ts";
import type { Verdict, Watched } from "../../wait/_watched.ts";
import { lookSoon, referencesChanged, watch } from "../../wait/_watcher.ts";
import { readProc } from "../_fork/proc_file.ts";
import { signalListeners } from "../_fork/signal_listeners.ts";
import {
  type Action,
  currentAction,
  denoActsFor,
  displace,
  handlerAction,
  handlerOf,
  keepDenosHandler,
  leaveDenosHandler,
  numberIn,
  plainAction,
  putBack,
  setAction,
} from "./actions.ts";
import { InfoPipe, NativeHandler } from "./native_handler.ts";

/** How often at most to look whether a signal has been taken, some 20 ms. */
const LOOKS_AT_PENDING = 200;

const SIGCHLD = 17;

/** One who is told of signals. */
export interface Receiver {
  /** Whether the signal is kept from everybody else meanwhile. */
  readonly holds: boolean;
  /** Called with a `siginfo_t` of its own for each signal. */
  receive(info: Uint8Array<ArrayBuffer>): void;
}

/** A receiver that the event loop is to serve. */
export interface AsyncReceiver extends Receiver {
  /** Whether it keeps the process alive. */
  readonly referenced: boolean;
  /** Called when it will not be told of anything any more. */
  fail(error: unknown): void;
  /** Called in a forked child, where the parent's signals are to be forgotten. */
  renew(): void;
}

/** A signal that is caught. */
interface Caught {
  readonly receivers: Set<Receiver>;
  /** What was done with it before anybody here had to do with it. */
  original: Action;
  /** The same, once Deno has put its own handler in place. */
  base: Action;
  /** Deno's listener that keeps Deno's handler in place; `undefined` for signals that Deno does not know. */
  readonly listener: (() => void) | undefined;
  /** Whether `setSignal` has been called meanwhile. */
  overridden: boolean;
}

/**
 * The signals that this library catches for its callers, with all that the kernel tells of them.
 *
 * They are written into a pipe by a {@linkcode NativeHandler}, on whichever thread they hit. So none is lost while JavaScript is
 * busy, and a call that waits for one need not be on the thread that takes it.
 *
 * Deno's own handler is put in place first, by a listener that does nothing, as Deno does so once for each signal and would later
 * put it over ours. It is gone on to only where others listen: alone, it would do what the signal does by default.
 */
class CaughtSignals implements Watched {
  readonly #caught = new Map<number, Caught>();
  readonly #async = new Set<AsyncReceiver>();
  readonly #pipe = new InfoPipe();
  #handler: NativeHandler | undefined;
  #watched = false;
  #released: PromiseWithResolvers<void> | undefined;

  /** Has the receiver told of a signal. */
  add(signal: number, receiver: Receiver): void {
    refuseWorker();
    const caught = this.#caught.get(signal) ?? this.#catch(signal);
    caught.receivers.add(receiver);
    this.#chain(signal, caught);
  }

  /** Has the receiver told no more; what has come before is still handed over. Then `deliver` may send the signal again. */
  remove(signal: number, receiver: Receiver, deliver = () => {}): void {
    const caught = this.#caught.get(signal);
    if (!caught?.receivers.has(receiver)) return;
    awaitDelivery(signal);
    this.drain();
    caught.receivers.delete(receiver);
    if (caught.receivers.size > 0) {
      this.#chain(signal, caught);
      deliver();
    } else this.#release(signal, caught, deliver);
  }

  /** Has the event loop look for signals on behalf of the receiver, from now on. */
  serve(receiver: AsyncReceiver): void {
    if (!this.#watched) watch(this);
    this.#watched = true;
    this.#async.add(receiver);
    referencesChanged();
  }

  /** No more; resolves when nothing of that is under way any more. */
  async unserve(receiver: AsyncReceiver): Promise<void> {
    this.#async.delete(receiver);
    if (this.#async.size > 0 || !this.#watched) return referencesChanged();
    this.#released ??= Promise.withResolvers();
    referencesChanged();
    lookSoon();
    await this.#released.promise;
  }

  /** Hands over what has come. */
  drain(): void {
    this.#pipe.drain((info) => this.#hand(info));
  }

  /** Blocks until something has come, or for that many milliseconds. */
  wait(timeout: number): void {
    poll([{ fd: this.#pipe.reader, events: POLLIN }], timeout);
  }

  /** The signals that somebody is told of. */
  get numbers(): Iterable<number> {
    return this.#caught.keys();
  }

  /** `SIG_DFL` or `SIG_IGN`: at once, or once nobody catches the signal. */
  set(signal: number, disposition: number): void {
    refuseWorker();
    const plain = plainAction(disposition);
    const caught = this.#caught.get(signal);
    if (caught !== undefined) {
      caught.original = plain;
      caught.overridden = true;
      return;
    }
    // Deno's handler first, or Deno might put it over this one later.
    const listener = keepDenosHandler(signal);
    displace(signal, setAction(signal, plain), plain);
    leaveDenosHandler(signal, listener);
    // There, that may have set what was done before.
    if (signalListeners.inChild) setAction(signal, plain);
  }

  /** To be called when somebody who is served has changed `referenced`. */
  referencesChanged(): void {
    referencesChanged();
  }

  /** Listeners of Deno have come or gone. */
  listenersChanged(signal: number): void {
    const caught = this.#caught.get(signal);
    if (caught !== undefined) this.#chain(signal, caught);
    else if (!signalListeners.listens(signal)) putBack(signal);
  }

  // As somebody who is watched:

  get fd(): number {
    return this.#pipe.reader;
  }

  readonly events = POLLIN;

  get referenced(): boolean {
    return this.#released !== undefined ||
      [...this.#async].some((receiver) => receiver.referenced);
  }

  look(ready: boolean): Verdict {
    if (ready) this.drain();
    return this.#async.size > 0 ? "watch" : "done";
  }

  fail(error: unknown): void {
    for (const receiver of this.#async) receiver.fail(error);
    this.#async.clear();
  }

  release(): void {
    this.#watched = false;
    if (this.#caught.size === 0) this.#close();
  }

  settle(): void {
    this.#released?.resolve();
    this.#released = undefined;
  }

  // Private parts:

  #hand(info: Uint8Array<ArrayBuffer>): void {
    const receivers = [
      ...this.#caught.get(numberIn(info))?.receivers ?? [],
    ];
    const holders = receivers.filter(({ holds }) => holds);
    for (const receiver of holders.length > 0 ? holders : receivers) {
      receiver.receive(info);
    }
  }

  #catch(signal: number): Caught {
    this.#handler ??= new NativeHandler();
    if (!this.#pipe.isOpen) this.#open();
    const original = currentAction(signal);
    const action = handlerAction(this.#handler.address);
    this.#handler.setNext(signal, 0n);
    // From the one to the other at once: what comes in between is nobody's.
    const listener = keepDenosHandler(signal);
    const base = setAction(signal, action);
    const receivers = new Set<Receiver>();
    const overridden = false;
    const caught = { receivers, original, base, listener, overridden };
    this.#caught.set(signal, caught);
    return caught;
  }

  #release(signal: number, caught: Caught, deliver: () => void): void {
    const { original, base, listener, overridden } = caught;
    this.#caught.delete(signal);
    setAction(signal, base);
    leaveDenosHandler(signal, listener);
    // SIGCHLD stays Deno's, which learns from it of its children.
    const idle = signal !== SIGCHLD && !signalListeners.listens(signal);
    if (idle || overridden) setAction(signal, original);
    deliver();
    if (idle && denoActsFor(original)) setAction(signal, base);
    else if (idle || overridden) displace(signal, base, original);
    if (this.#caught.size === 0 && !this.#watched) this.#close();
  }

  /** Goes on to Deno's handler where it has somebody else to tell. */
  #chain(signal: number, caught: Caught): void {
    const held = [...caught.receivers].some(({ holds }) => holds);
    const others = signal === SIGCHLD ||
      signalListeners.listens(signal, caught.listener) && !held;
    this.#handler!.setNext(signal, others ? handlerOf(caught.base) : 0n);
  }

  #open(): void {
    if (!registered) onForkedChild(() => this.#renew());
    registered = true;
    this.#handler!.setDescriptor(this.#pipe.open());
  }

  #close(): void {
    this.#handler!.setDescriptor(-1);
    this.#pipe.close();
  }

  /** In a forked child, where all handlers are gone: catches the same signals, the child's own, in a pipe of its own. */
  #renew(): void {
    if (!this.#pipe.isOpen) return;
    this.#pipe.renew();
    for (const receiver of this.#async) receiver.renew();
    for (const [signal, caught] of this.#caught) {
      // Deno's listeners have been given a handler by now, and what the parent had instead means nothing here.
      if (handlerOf(caught.original) !== 0n) {
        caught.original = plainAction(SIG_DFL);
      }
      caught.base = currentAction(signal);
      this.#chain(signal, caught);
      setAction(signal, handlerAction(this.#handler!.address));
    }
    if (this.#async.size === 0) return;
    // Once the watcher, too, has forgotten what was the parent's.
    queueMicrotask(() => {
      if (this.#async.size === 0 || this.#watched) return;
      watch(this);
      this.#watched = true;
    });
  }
}

let registered = false;

/** Those of this process. */
export const caughtSignals: CaughtSignals = new CaughtSignals();
signalListeners.changed = (signal) => caughtSignals.listenersChanged(signal);

/**
 * Waits until a signal that was sent to the process has been taken by one of its threads: it is still meant for those who
 * catch it now, and might end the process otherwise.
 */
function awaitDelivery(signal: number): void {
  for (let looks = 0; looks < LOOKS_AT_PENDING; looks++) {
    const [, pending] = /^ShdPnd:\s*([0-9a-f]+)$/m
      .exec(readProc("/proc/self/status")) ?? [];
    if ((BigInt(`0x${pending ?? "0"}`) >> BigInt(signal - 1) & 1n) === 0n) {
      return;
    }
    forkSymbols().usleep(50);
  }
}

function refuseWorker(): void {
  if (!("WorkerGlobalScope" in globalThis)) return;
  throw new PosixError("Cannot catch signals", {
    errno: ERRNO.ENOTSUP,
    syscall: "sigaction",
    detail: "signals belong to the process, and a worker is one thread of it",
  });
}
