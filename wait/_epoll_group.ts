import {
  EPOLL_CLOEXEC,
  EPOLL_CTL_ADD,
  EPOLL_CTL_DEL,
  EPOLL_CTL_MOD,
  POLLIN,
  POLLOUT,
} from "../ffi/constants.ts";
import { readErrno } from "../ffi/_errno.ts";
import { ERRNO } from "../ffi/errno.ts";
import { EPOLL_EVENT } from "../ffi/layouts.ts";
import {
  markOwnDescriptor,
  unmarkOwnDescriptor,
} from "../ffi/_own_descriptors.ts";
import { checkValue, errorFor } from "../ffi/_results.ts";
import { bellSymbols, descriptorSymbols } from "../ffi/_symbols.ts";
import type { Watched } from "./_watched.ts";

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
export class EpollGroup {
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
