import {
  markOwnDescriptor,
  newPipeHandle,
  type PipeHandle,
  unmarkOwnDescriptor,
} from "../ffi/_deno_core.ts";
import { checkValue, errorFor, lastError, readErrno } from "../ffi/_libc.ts";
import { bellSymbols, descriptorSymbols } from "../ffi/_symbols.ts";
import {
  EFD_CLOEXEC,
  EFD_NONBLOCK,
  EPOLL_CLOEXEC,
  EPOLL_CTL_ADD,
  EPOLL_CTL_DEL,
  EPOLL_CTL_MOD,
  F_GETFD,
  POLLIN,
  POLLOUT,
} from "../ffi/constants.ts";
import { ERRNO } from "../ffi/errors.ts";
import { EPOLL_EVENT } from "../ffi/layouts.ts";
import { cancelPoll, endedPolls, setUpPolls, submitPoll } from "./_aio_poll.ts";
import type { Sleep, Sleeper, Watched } from "./_watched.ts";

/** How many ready descriptors are taken up at once; the others have their turn right after. */
const EVENTS = 64;

/** What a descriptor can be ready for; the rest is what has gone wrong with it, and of everybody's concern. */
const IN_OR_OUT = POLLIN | POLLOUT;

// Explicitly allocated, and so outside the heap in which V8 moves things.
const event = new DataView(new ArrayBuffer(EPOLL_EVENT.size));
const events = new Uint8Array(new ArrayBuffer(EVENTS * EPOLL_EVENT.size));
const eventsView = new DataView(events.buffer);

const cannotWatch = () => "Cannot watch descriptors";

/** Any number of descriptors as one, an epoll instance, which can be read whenever one of them is ready. */
class EpollGroup {
  /** The one. */
  readonly fd: number;
  /** Those of each descriptor. */
  readonly #watched = new Map<number, Set<Watched>>();
  /** Those that epoll does not take, and that poll would always find ready, such as regular files. */
  readonly #alwaysReady = new Set<Watched>();

  constructor() {
    this.fd = checkValue(
      bellSymbols().epoll_create1(EPOLL_CLOEXEC),
      "epoll_create1",
      cannotWatch,
    );
    markOwnDescriptor(this.fd);
  }

  /** Whether nothing of the group needs to be waited for. */
  get isReady(): boolean {
    return this.#alwaysReady.size > 0;
  }

  /** Takes one in. */
  add(watched: Watched): void {
    const { fd } = watched;
    const known = this.#watched.get(fd);
    const all = new Set(known).add(watched);
    const operation = known === undefined ? EPOLL_CTL_ADD : EPOLL_CTL_MOD;
    let errno = this.#control(operation, fd, eventsOf(all));
    // The number may be that of another file by now, if somebody has closed what is not theirs.
    if (errno === ERRNO.ENOENT) {
      errno = this.#control(EPOLL_CTL_ADD, fd, eventsOf(all));
    }
    if (errno === 0) this.#watched.set(fd, all);
    // Whoever owns it will get to know what is wrong with it.
    else if (errno === ERRNO.EPERM || errno === ERRNO.EBADF) {
      this.#alwaysReady.add(watched);
    } else throw errorFor(errno, "epoll_ctl", cannotWatch);
  }

  /** Takes one out, before its descriptor is closed: where a forked child has it as well, closing it would not be enough. */
  remove(watched: Watched): void {
    if (this.#alwaysReady.delete(watched)) return;
    const { fd } = watched;
    const others = this.#watched.get(fd);
    if (!others?.delete(watched)) return;
    if (others.size > 0) {
      this.#control(EPOLL_CTL_MOD, fd, eventsOf(others));
    } else {
      this.#watched.delete(fd);
      this.#control(EPOLL_CTL_DEL, fd, 0);
    }
  }

  /** Adds to a list those that are ready now. */
  collectReady(ready: Watched[]): void {
    for (const watched of this.#alwaysReady) ready.push(watched);
    const count = bellSymbols().epoll_wait(this.fd, events, EVENTS, 0);
    for (let index = 0; index < count; index++) {
      const at = index * EPOLL_EVENT.size;
      const { fields } = EPOLL_EVENT;
      const fd = Number(eventsView.getBigUint64(at + fields.data, true));
      const what = eventsView.getUint32(at + fields.events, true);
      for (const watched of this.#watched.get(fd) ?? []) {
        const mine = (what & (watched.events | ~IN_OR_OUT)) !== 0;
        if (mine) ready.push(watched);
      }
    }
  }

  /** Adds to a list those whose descriptors somebody has closed, and which would never be ready. */
  collectLost(ready: Watched[]): void {
    for (const [fd, all] of this.#watched) {
      if (this.#control(EPOLL_CTL_MOD, fd, eventsOf(all)) === 0) continue;
      for (const watched of all) ready.push(watched);
    }
  }

  /** Closes the one. */
  close(): void {
    unmarkOwnDescriptor(this.fd);
    descriptorSymbols().close(this.fd);
  }

  #control(operation: number, fd: number, events: number): number {
    event.setUint32(EPOLL_EVENT.fields.events, events, true);
    event.setBigUint64(EPOLL_EVENT.fields.data, BigInt(fd), true);
    const { epoll_ctl } = bellSymbols();
    return epoll_ctl(this.fd, operation, fd, event) === 0 ? 0 : readErrno();
  }
}

/** What a descriptor is watched for on behalf of all of them. */
function eventsOf(all: Iterable<Watched>): number {
  return [...all].reduce((events, watched) => events | watched.events, 0);
}

/**
 * Sleeps without a thread: the kernel itself rings when a descriptor is ready, on Deno's own event loop.
 *
 * Deno lets nobody add a descriptor to its event loop, but it reads pipes on it, and takes an eventfd for one. What adds to an
 * eventfd when a descriptor is ready, and so rings, is a poll by `io_submit(2)`: one for each child that is waited for, and one
 * for all the rest, which are in an epoll instance. Compared with a thread that sleeps in `poll(2)` this saves waking that
 * thread, some 60 µs.
 *
 * Nothing in it is promised by Deno, so nobody is to rely on a bell before one was heard: see {@linkcode rehearse}.
 */
export class KernelBell implements Sleep {
  readonly #sleeper: Sleeper;
  readonly #eventfd: number;
  readonly #handle: PipeHandle;
  /** Those with a poll of their own, by its number. */
  readonly #alone = new Map<number, Watched>();
  /** The others. */
  #group: EpollGroup | undefined;
  /** The number of the poll of the group; 0 where there is none. */
  #groupPoll = 0;
  #woken = false;
  #referenced = true;
  #closed = false;

  constructor(sleeper: Sleeper) {
    this.#sleeper = sleeper;
    setUpPolls();
    const handle = newPipeHandle();
    if (handle === undefined) throw unsupported();
    this.#handle = handle;
    this.#eventfd = checkValue(
      descriptorSymbols().eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK),
      "eventfd",
      cannotWatch,
    );
    if (handle.open(this.#eventfd) !== 0) {
      descriptorSymbols().close(this.#eventfd);
      throw unsupported();
    }
    handle.useUserBuffer?.(count);
    handle.onread = () => this.#rung();
    handle.readStart();
  }

  add(watched: Watched): void {
    const number = watched.mayLinger && this.#alone.size < ALONE
      ? submitPoll(watched.fd, this.#eventfd)
      : 0;
    if (number !== 0) {
      this.#alone.set(number, watched);
      return;
    }
    this.#group ??= new EpollGroup();
    this.#group.add(watched);
    this.resume();
  }

  remove(watched: Watched): void {
    for (const [number, other] of this.#alone) {
      if (other !== watched) continue;
      cancelPoll(number);
      this.#alone.delete(number);
      return;
    }
    this.#group?.remove(watched);
  }

  resume(): void {
    if (this.#group === undefined) return;
    if (this.#group.isReady) this.wake();
    this.#groupPoll ||= submitPoll(this.#group.fd, this.#eventfd);
    if (this.#groupPoll === 0) throw lastError("io_submit", cannotWatch);
  }

  wake(): void {
    if (this.#woken || this.#closed) return;
    this.#woken = true;
    if (descriptorSymbols().write(this.#eventfd, ONE, 8n) === 8) return;
    // Somebody has closed what was not theirs: nothing will be heard any more.
    this.#sleeper.fail(
      lastError("write", () => "Cannot wake the watcher of descriptors"),
    );
  }

  reference(on: boolean): void {
    if (on === this.#referenced) return;
    this.#referenced = on;
    if (on) this.#handle.ref();
    else this.#handle.unref();
  }

  close(): void {
    // It would hold the group, and with it all that is in there.
    cancelPoll(this.#groupPoll);
    for (const number of this.#alone.keys()) cancelPoll(number);
    this.abandon();
  }

  abandon(): void {
    if (this.#closed) return;
    this.#closed = true;
    // This closes the eventfd as well.
    this.#handle.close();
    this.#group?.close();
  }

  #rung(): void {
    if (this.#closed) return;
    const woken = this.#woken;
    this.#woken = false;
    const ready: Watched[] = [];
    for (const number of endedPolls(!woken)) this.#collect(number, ready);
    if (woken) this.#collectUnannounced(ready);
    if (woken || ready.length > 0) this.#sleeper.awake({ ready, woken });
    else this.resume();
  }

  /** Finds those that are ready for another reason, or never will be, since somebody has closed what is not theirs. */
  #collectUnannounced(ready: Watched[]): void {
    this.#group?.collectReady(ready);
    this.#group?.collectLost(ready);
    const { fcntl } = descriptorSymbols();
    for (const watched of this.#alone.values()) {
      if (fcntl(watched.fd, F_GETFD, 0) === -1) ready.push(watched);
    }
  }

  #collect(number: number, ready: Watched[]): void {
    if (number === this.#groupPoll) {
      this.#groupPoll = 0;
      this.#group?.collectReady(ready);
      return;
    }
    const watched = this.#alone.get(number);
    if (watched === undefined) return;
    this.#alone.delete(number);
    ready.push(watched);
  }
}

const ONE = BigUint64Array.of(1n);

/** How many have a poll of their own: the kernel has room for only so many. */
const ALONE = 8;

/** What is read of an eventfd; nobody looks at it. */
const count = new Uint8Array(new ArrayBuffer(8));

function unsupported(): Error {
  return errorFor(ERRNO.ENOTSUP, "open", cannotWatch);
}

/** What is known of bells: others are to be relied on only once one was heard. */
export const bells = {
  /** Whether one was. */
  heard: false,
  /** How often one may still be tried: in vain, as when what was watched is ready before it. */
  trials: 5,
};

/**
 * Rings a bell for something that is ready, to see whether it is heard. Gives what ends the trial, if it is not over by itself.
 *
 * In a worker, which would leave behind what no other thread can give up, there is none.
 */
export function rehearse(): () => void {
  if (bells.trials === 0 || "WorkerGlobalScope" in globalThis) {
    return () => {};
  }
  bells.trials--;
  let bell: KernelBell | undefined;
  let fd = -1;
  const end = () => {
    bell?.close();
    if (fd !== -1) descriptorSymbols().close(fd);
    bell = undefined;
    fd = -1;
  };
  try {
    fd = descriptorSymbols().eventfd(1, EFD_CLOEXEC);
    bell = new KernelBell({
      awake({ ready }) {
        bells.heard = ready.length === 1;
        end();
      },
      fail: end,
    });
    bell.reference(false);
    bell.add({ ...NOBODY, fd });
  } catch {
    // This Deno or this kernel is not built for it.
    bells.trials = 0;
    end();
  }
  return end;
}

const NOBODY: Omit<Watched, "fd"> = {
  events: POLLIN,
  referenced: false,
  look: () => "done",
  fail() {},
  release() {},
  settle() {},
};
