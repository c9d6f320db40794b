import { cString } from "../../ffi/_c_strings.ts";
import { unrefOp } from "../../ffi/_deno_core.ts";
import { O_CLOEXEC, O_NONBLOCK, POLLIN } from "../../ffi/constants.ts";
import { POLLFD, SIGACTION } from "../../ffi/layouts.ts";
import { checkZero } from "../../ffi/_results.ts";
import {
  descriptorSymbols,
  handlerSymbols,
  memorySymbols,
  pollOnPool,
  signalSymbols,
} from "../../ffi/_symbols.ts";

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
export class SignalPipe {
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
    const request = new DataView(new ArrayBuffer(POLLFD.size));
    request.setInt32(POLLFD.fields.fd, fd, true);
    request.setInt16(POLLFD.fields.events, POLLIN, true);
    for (;;) {
      // Once nobody listens there is nothing to wait for, and a poll that begins as the program ends is to be avoided: Deno may have
      // freed the request by the time that a thread of the pool writes to it.
      const released = this.#fds[0] !== fd;
      if (!released) {
        const call = pollOnPool(request, 1n, -1);
        unrefOp(call);
        await call;
      }
      const count = descriptorSymbols().read(fd, this.#bytes, 256n);
      if (count === 0 || released && count < 0) break;
      for (const signal of this.#bytes.slice(0, Math.max(0, count))) {
        this.#onSignal(signal);
      }
    }
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
