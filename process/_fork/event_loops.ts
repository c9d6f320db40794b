import { rehearsing } from "../../ffi/_after_fork.ts";
import {
  AF_INET,
  AF_INET6,
  AF_UNIX,
  AT_EMPTY_PATH,
  EFD_CLOEXEC,
  EFD_NONBLOCK,
  EPOLL_CLOEXEC,
  EPOLL_CTL_ADD,
  F_DUPFD_CLOEXEC,
  O_CLOEXEC,
  S_IFMT,
  S_IFSOCK,
  SO_ACCEPTCONN,
  SO_DOMAIN,
  SO_TYPE,
  SOCK_CLOEXEC,
  SOCK_NONBLOCK,
  SOCK_STREAM,
  SOL_SOCKET,
  STATX_INO,
  STATX_TYPE,
} from "../../ffi/constants.ts";
import { ERRNO, PosixError } from "../../ffi/errors.ts";
import { EPOLL_EVENT, STATX } from "../../ffi/layouts.ts";
import { isOwnDescriptor } from "../../ffi/_deno_core.ts";
import {
  type CallArgument,
  type CallList,
  callMemory,
  CallOutput,
  type CallResult,
  symbolAddresses,
} from "../../ffi/_call_list.ts";
import { checkValue, checkZero } from "../../ffi/_libc.ts";
import { descriptorSymbols, forkSymbols } from "../../ffi/_symbols.ts";
import { listProc, readDescriptorLink, readProc } from "./proc_file.ts";

/** What has no name, such as an epoll instance, has no type either. */
const NO_TYPE = 0;

/** What tokio puts beside the descriptor of its signal pipe; a waker has 0, and everything else a pointer. */
const SIGNAL_TOKEN = 1n;

/** One descriptor that an epoll instance watches. */
interface Registration {
  readonly fd: number;
  readonly events: number;
  readonly data: bigint;
}

/** One epoll instance: all the numbers that it has in this process, and what it watches. */
interface EpollInstance {
  readonly fds: number[];
  readonly registrations: readonly Registration[];
}

/** A registration that a child leaves out at first, and the file that was meant. */
interface LeftOut {
  readonly epoll: number;
  readonly registration: Registration;
  readonly inode: bigint;
  /** The number that a TCP connection has meanwhile; undefined where it has kept its own. */
  readonly kept: number | undefined;
}

/**
 * The event loops of this process: what a forked child shares with its parent and must not.
 *
 * An epoll instance is an open file description, so after a fork both processes register in, and are woken by, the same
 * one, and tokio keeps pointers in it: what a child registers makes the parent follow a pointer that means nothing
 * there. The same holds for the eventfd that wakes the loop, and for the socket pair by which signal handlers tell it
 * of signals. The child therefore makes all of them anew, under the same numbers.
 *
 * In the new ones are the wakers, the signal sockets and the sockets that listen. Connections and pipes are left out: whatever
 * read the parent was waiting for, the child's copy of it would be woken as well, and take the bytes away. A child that is
 * to use those that the parent had opened asks for them ({@linkcode inherit}). Until then a TCP connection is a closed one in
 * the child: Deno keeps some of them for the next `fetch`, and both processes would speak on them.
 *
 * They are looked for while all threads rest, and the fork counts only if all have rested until after it: what the child
 * is to rebuild is then just what was there.
 */
export class EventLoops {
  readonly #epolls: readonly EpollInstance[];
  readonly #wakers: readonly number[];
  readonly #signals: SignalSockets;
  readonly #shared: ReadonlySet<number>;
  readonly #connections: ReadonlySet<number>;
  /** A byte that is 1 in the child once it has its own. */
  readonly isDone = callMemory(1);
  /** The registrations that are left out, and the epoll instance of each. */
  readonly #others: { epoll: number; registration: Registration }[];
  #leftOut: LeftOut[] = [];
  /** What stands in for the parent's connections. */
  #closedSocket = -1n;

  /** The files of /proc that tell what they watch, with their lengths. */
  readonly files: ReadonlyMap<string, number>;

  /** Looks for them; a runtime that is built otherwise is refused before anything has happened. */
  constructor() {
    const eventfds = new Set<number>();
    const epolls: number[] = [];
    const sockets = new Map<number, number>();
    for (const fd of listProc("/proc/self/fd")) {
      // Most are files and pipes, and to read a link takes several times as long as to see that.
      if (isOwnDescriptor(fd) || ![NO_TYPE, S_IFSOCK].includes(typeOf(fd))) {
        continue;
      }
      const link = readDescriptorLink(fd);
      if (link === "anon_inode:[eventpoll]") epolls.push(fd);
      else if (link === "anon_inode:[eventfd]") eventfds.add(fd);
      else if (link.startsWith("socket:[")) {
        sockets.set(fd, Number(link.slice("socket:[".length, -1)));
      }
    }
    const texts = new Map(epolls.map((fd) => {
      const path = `/proc/self/fdinfo/${fd}`;
      return [fd, { path, text: readProc(path) }];
    }));
    this.files = new Map(
      texts.values().map(({ path, text }) => [path, text.length]),
    );
    this.#epolls = readEpolls(texts);
    const watched = this.#epolls.flatMap(({ registrations }) => registrations);
    this.#wakers = watched.map(({ fd }) => fd).filter((fd) => eventfds.has(fd));
    this.#signals = findSignalSockets(sockets, watched);
    if (this.#wakers.length === 0) {
      throw unknownRuntime("no event loop was found among the descriptors");
    }
    this.#shared = new Set([
      ...this.#wakers,
      ...this.#signals.receivers,
      ...sockets.keys().filter(listens),
    ]);
    this.#others = this.#epolls.flatMap(({ fds, registrations }) =>
      registrations.filter(({ fd }) => !this.#shared.has(fd)).map(
        (registration) => ({ epoll: fds[0]!, registration }),
      )
    );
    this.#connections = new Set(
      sockets.keys().filter((fd) =>
        fd > 2 && !this.#shared.has(fd) && isTcp(fd)
      ),
    );
  }

  /** In the child, by calls of the list: makes event loops of its own, which watch what the parent's did at the moment of the fork. */
  unshare(list: CallList): void {
    const { epoll_create1, epoll_ctl, eventfd, memset, socketpair } =
      symbolAddresses();
    const given: CallResult[] = [];
    /** Puts a new description under the numbers of an old one. */
    const replace = (fd: CallArgument, numbers: readonly number[]) => {
      const { close, dup3 } = symbolAddresses();
      for (const number of numbers) {
        given.push(list.call(dup3, fd, number, O_CLOEXEC));
      }
      list.call(close, fd);
    };
    for (const fd of this.#wakers) {
      replace(list.call(eventfd, 0, EFD_CLOEXEC | EFD_NONBLOCK), [fd]);
    }
    const { receivers, senders } = this.#signals;
    if (receivers.length > 0) {
      const pair = callMemory(8);
      list.call(socketpair, AF_UNIX, NEW_SOCKET, 0, pair);
      replace(new CallOutput(pair.subarray(0, 4)), receivers);
      replace(new CallOutput(pair.subarray(4)), senders);
    }
    for (const { fds, registrations } of this.#epolls) {
      const epoll = list.call(epoll_create1, EPOLL_CLOEXEC);
      for (const registration of registrations) {
        const { fd } = registration;
        if (!this.#shared.has(fd)) continue;
        // It can outlive its number, when a duplicate is still open; then there is nothing to be renewed.
        list.call(epoll_ctl, epoll, EPOLL_CTL_ADD, fd, eventOf(registration));
      }
      replace(epoll, fds);
    }
    const see = ([first, ...others]: readonly CallResult[]): void => {
      if (first === undefined) list.call(memset, this.isDone, 1, 1);
      else list.unless(first, -1, () => see(others));
    };
    see(given);
  }

  /** Whether there is something that a child leaves out. */
  get leavesOut(): boolean {
    return this.#others.length > 0;
  }

  /** In the child, after that: keeps what it has left out. */
  finish(): void {
    if (rehearsing) return;
    for (const { epoll, registration } of this.#others) {
      this.#leaveOut(epoll, registration);
    }
    if (this.#leftOut.length > 0) this.#closeConnections();
  }

  #leaveOut(epoll: number, registration: Registration): void {
    const { fd } = registration;
    const inode = inodeOf(fd);
    const kept = this.#connections.has(fd)
      ? descriptorSymbols().fcntl(fd, F_DUPFD_CLOEXEC, 3)
      : -1;
    this.#leftOut.push({
      epoll,
      registration,
      inode,
      kept: kept === -1 ? undefined : kept,
    });
  }

  /** Puts a closed socket in the place of each connection that is kept under another number. */
  #closeConnections(): void {
    const fds = this.#leftOut.filter(({ kept }) => kept !== undefined)
      .map(({ registration }) => registration.fd);
    if (fds.length === 0) return;
    const [socket, peer] = newSocketPair();
    descriptorSymbols().close(peer);
    this.#closedSocket = inodeOf(socket);
    for (const fd of fds) {
      checkValue(
        descriptorSymbols().dup3(socket, fd, O_CLOEXEC),
        "dup3",
        () => `Cannot replace descriptor ${fd}`,
      );
    }
    descriptorSymbols().close(socket);
    fetchAnew();
  }

  /** In the child: watches the rest as well, as far as it is still what it was. */
  inherit(): void {
    for (const { epoll, registration, inode, kept } of this.#leftOut) {
      const { fd } = registration;
      if (kept !== undefined && inodeOf(fd) === this.#closedSocket) {
        descriptorSymbols().dup3(kept, fd, O_CLOEXEC);
      }
      if (inodeOf(fd) === inode) register(epoll, registration);
    }
    this.drop();
  }

  /** In the child, or in one of its own: gives up what {@linkcode inherit} would have brought back. */
  drop(): void {
    for (const { kept } of this.#leftOut) {
      if (kept !== undefined) descriptorSymbols().close(kept);
    }
    this.#leftOut = [];
  }
}

/** In a forked child: the event loops of its parent, as they were at the fork. */
export class ParentLoops {
  /** The latest ones, where something was left out of them. */
  latest: EventLoops | undefined;

  /** In a child: those of its parent, which take the place of those that the parent had of its own. */
  succeed(loops: EventLoops): void {
    this.latest?.drop();
    this.latest = loops;
  }

  /** In a child: watches what its parent did, too. */
  inherit(): void {
    this.latest?.inherit();
  }
}

/** Those of this process, if it is such a child. */
export const parentLoops: ParentLoops = new ParentLoops();

function readEpolls(
  texts: ReadonlyMap<number, { text: string }>,
): EpollInstance[] {
  const found = new Map<string, EpollInstance>();
  for (const [fd, { text }] of texts) {
    const lines = text.split("\n").filter((line) => line.startsWith("tfd:"))
      .sort();
    // Two numbers of one instance show the same registrations; two instances never do, for each has its own waker.
    const key = lines.join("\n");
    const known = found.get(key);
    if (known !== undefined) known.fds.push(fd);
    else {
      found.set(key, {
        fds: [fd],
        registrations: lines.map(parseRegistration),
      });
    }
  }
  return [...found.values()];
}

/** Reads a line such as `tfd:        8 events: 80002019 data:                1  pos:0 ino:18dd sdev:9`. */
function parseRegistration(line: string): Registration {
  const match = /^tfd:\s*(\d+)\s+events:\s*([0-9a-f]+)\s+data:\s*([0-9a-f]+)/
    .exec(line);
  if (match === null) throw unknownRuntime(`fdinfo says ${line}`);
  return {
    fd: Number(match[1]),
    events: parseInt(match[2]!, 16),
    data: BigInt(`0x${match[3]}`),
  };
}

/** The socket pair of tokio's signal handlers, under all its numbers. */
interface SignalSockets {
  readonly receivers: readonly number[];
  readonly senders: readonly number[];
}

/**
 * Finds the signal sockets: each loop watches a duplicate of the receiving end.
 *
 * Nothing short of netlink names a socket's peer. But `socketpair` makes both ends at once, the receiving one first, and so gives
 * them neighbouring numbers, or else neighbouring inodes.
 */
function findSignalSockets(
  sockets: ReadonlyMap<number, number>,
  watched: readonly Registration[],
): SignalSockets {
  const loop = watched.find(({ fd, data }) =>
    data === SIGNAL_TOKEN && sockets.has(fd)
  );
  if (loop === undefined) return { receivers: [], senders: [] };
  const inode = sockets.get(loop.fd)!;
  const withInode = (wanted: number) =>
    [...sockets].filter(([, inode]) => inode === wanted).map(([fd]) => fd);
  const receivers = withInode(inode);
  const byInode = withInode(inode + 1);
  const neighbour = Math.min(...receivers) + 1;
  const known = new Set([...receivers, ...watched.map(({ fd }) => fd)]);
  if (byInode.length > 0) return { receivers, senders: byInode };
  if (sockets.has(neighbour) && !known.has(neighbour)) {
    return { receivers, senders: [neighbour] };
  }
  throw unknownRuntime(`the signal socket ${loop.fd} has no peer`);
}

const NEW_SOCKET = SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK;

function newSocketPair(): [number, number] {
  const pair = new Int32Array(2);
  checkZero(
    forkSymbols().socketpair(AF_UNIX, NEW_SOCKET, 0, pair),
    "socketpair",
    () => "Cannot make a closed socket",
  );
  return [pair[0]!, pair[1]!];
}

/** A registration can outlive its number (when a duplicate is still open); such a one has nothing to be renewed. */
function register(epoll: number, registration: Registration): void {
  const event = eventOf(registration);
  forkSymbols().epoll_ctl(epoll, EPOLL_CTL_ADD, registration.fd, event);
}

function eventOf({ events, data }: Registration): Uint8Array<ArrayBuffer> {
  const event = new DataView(new ArrayBuffer(EPOLL_EVENT.size));
  event.setUint32(EPOLL_EVENT.fields.events, events, true);
  event.setBigUint64(EPOLL_EVENT.fields.data, data, true);
  return new Uint8Array(event.buffer);
}

/** Whether a socket waits for connections, which each process may then accept. */
function listens(fd: number): boolean {
  return socketOption(fd, SO_ACCEPTCONN) === 1;
}

/** Whether a socket is one of TCP. */
function isTcp(fd: number): boolean {
  return [AF_INET, AF_INET6].includes(socketOption(fd, SO_DOMAIN)) &&
    socketOption(fd, SO_TYPE) === SOCK_STREAM;
}

function socketOption(fd: number, option: number): number {
  const value = new Int32Array(1);
  const size = new Uint32Array([4]);
  const result = forkSymbols().getsockopt(fd, SOL_SOCKET, option, value, size);
  return result === 0 ? value[0]! : -1;
}

/** Has `fetch` use connections of its own: the first on one of those that are closed now would fail. */
function fetchAnew(): void {
  const { fetch } = globalThis;
  let client: Deno.HttpClient | undefined;
  globalThis.fetch = (input, init) => {
    client ??= Deno.createHttpClient({});
    return fetch(input, { client, ...init });
  };
}

const statx = new DataView(new ArrayBuffer(STATX.size));
const NO_PATH = new Uint8Array(new ArrayBuffer(1));

/** The inode of an open file; -1 where the number is not open. */
function inodeOf(fd: number): bigint {
  const result = descriptorSymbols()
    .statx(fd, NO_PATH, AT_EMPTY_PATH, STATX_INO, statx);
  return result === 0 ? statx.getBigUint64(STATX.fields.stx_ino, true) : -1n;
}

/** The type of an open file; none where it cannot be told. */
function typeOf(fd: number): number {
  const result = descriptorSymbols()
    .statx(fd, NO_PATH, AT_EMPTY_PATH, STATX_TYPE, statx);
  return result === 0
    ? statx.getUint16(STATX.fields.stx_mode, true) & S_IFMT
    : NO_TYPE;
}

/** What there is to be thrown where they could not be made. */
export function noEventLoop(): PosixError {
  return new PosixError("Cannot make an event loop", {
    errno: ERRNO.EMFILE,
    syscall: "dup3",
  });
}

function unknownRuntime(detail: string): PosixError {
  return new PosixError("Cannot fork", {
    errno: ERRNO.ENOTSUP,
    syscall: "fork",
    detail: `the runtime is not built as expected: ${detail}`,
  });
}
