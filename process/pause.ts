import { siginfoSymbols } from "../ffi/_symbols.ts";
import { signalListeners } from "./_fork/signal_listeners.ts";
import { currentAction, handlerOf } from "./_signals/actions.ts";
import { caughtSignals } from "./_signals/caught_signals.ts";

/**
 * `pause()`: waits until a signal has come for which the program has a listener.
 *
 * Those of `Deno.addSignalListener` and {@linkcode signals} count, whichever thread takes the signal. JavaScript being one thread, the
 * listener is called after this has returned, when the event loop has its turn. A signal whose default is to end the process does
 * so, an {@linkcode alarm} for example; one that is ignored or blocked changes nothing. Where nobody listens for anything,
 * only such an end ends the wait.
 *
 * Blocks the thread, event loop included. A signal that comes just before the call is missed: {@linkcode sigwait} is free of that.
 *
 * @throws {PosixError} `ENOTSUP` in a worker; `EMFILE` if there is no descriptor free.
 *
 * @example Sleeping until the alarm
 * ```ts
 * import { pause, setitimer, signals } from "@posix/process/process";
 * import { assertEquals } from "@std/assert";
 *
 * using alarms = signals("SIGALRM");
 * setitimer("ITIMER_REAL", 0.01, 0.01); // again and again, lest the only one come too early
 * pause();
 * setitimer("ITIMER_REAL", 0);
 * assertEquals((await alarms.next()).value?.signal, "SIGALRM");
 * ```
 *
 * @see {@link https://man7.org/linux/man-pages/man2/pause.2.html | pause(2)}
 */
export function pause(): void {
  const numbers = new Set([
    ...signalListeners.numbers,
    ...caughtSignals.numbers,
  ].filter((number) => handlerOf(currentAction(number)) !== 0n));
  // The call itself comes back for any handler of Deno's as well, and only for those that run on this thread.
  while (numbers.size === 0) siginfoSymbols().pause();
  let come = false;
  const receiver = { holds: false, receive: () => come = true };
  const added: number[] = [];
  try {
    caughtSignals.drain();
    for (const number of numbers) {
      caughtSignals.add(number, receiver);
      added.push(number);
    }
    while (!come) {
      caughtSignals.wait(Infinity);
      caughtSignals.drain();
    }
  } finally {
    for (const number of added) caughtSignals.remove(number, receiver);
  }
}
