import {
  AF_UNIX,
  EFD_CLOEXEC,
  EFD_NONBLOCK,
  EPOLL_CLOEXEC,
  EPOLL_CTL_ADD,
  O_CLOEXEC,
  SOCK_CLOEXEC,
  SOCK_NONBLOCK,
  SOCK_STREAM,
} from "../../ffi/constants.ts";
import { ERRNO } from "../../ffi/errno.ts";
import { EPOLL_EVENT } from "../../ffi/layouts.ts";
import { PosixError } from "../../ffi/posix_error.ts";
import { checkValue, checkZero } from "../../ffi/_results.ts";
import { descriptorSymbols, forkSymbols } from "../../ffi/_symbols.ts";
import { listProc, openProc, readProcLink, rereadProc } from "./proc_file.ts";

/** What tokio puts beside the descriptor of its signal pipe; a waker has 0, and everything else a pointer. */
const SIGNAL_TOKEN = 1n;

const decoder = new TextDecoder();

/** One descriptor that an epoll instance watches. */
interface Registration {
  readonly fd: number;
  readonly events: number;
  readonly data: bigint;
}

/** One epoll instance, under all the numbers that it has in this process. */
interface EpollInstance {
  readonly fds: number[];
  /** Its list of registrations, open at `/proc/self/fdinfo`, and what that said right before the fork. */
  readonly file: number;
  readonly text: Uint8Array<ArrayBuffer>;
  length: number;
}

/**
 * The event loops of this process: what a forked child shares with its parent and must not.
 *
 * An epoll instance is an open file description, so after a fork both processes register in, and are woken by, the same
 * one, and tokio keeps pointers in it: what a child registers makes the parent follow a pointer that means nothing
 * there. The same holds for the eventfd that wakes the loop, and for the socket pair by which signal handlers tell it
 * of signals. The child therefore makes all of them anew, under the same numbers.
 */
export class EventLoops {
  readonly #epolls: readonly EpollInstance[];
  readonly #wakers: readonly number[];
  readonly #signalReceivers: readonly number[];
  readonly #signalSenders: readonly number[];

  /** Looks for them; a runtime that is built otherwise is refused before anything has happened. */
  constructor() {
    const links = new Map(
      listProc("/proc/self/fd").map((
        fd,
      ) => [fd, readProcLink(`/proc/self/fd/${fd}`)]),
    );
    this.#epolls = findEpolls(links);
    const registrations = this.#epolls.flatMap(parseRegistrations);
    this.#wakers = registrations.map(({ fd }) => fd)
      .filter((fd) => links.get(fd) === "anon_inode:[eventfd]");
    const signals = findSignalSockets(links, registrations);
    this.#signalReceivers = signals.receivers;
    this.#signalSenders = signals.senders;
    if (this.#epolls.length === 0 || this.#wakers.length === 0) {
      this.close();
      throw unknownRuntime("no event loop was found among the descriptors");
    }
  }

  /** Notes what is registered, without allocating: to be called right before the fork. Gives whether all of it was. */
  note(): boolean {
    for (const epoll of this.#epolls) {
      epoll.length = rereadProc(epoll.file, epoll.text);
      if (epoll.length === epoll.text.length) return false;
    }
    return true;
  }

  /** In the child: makes event loops of its own, which watch what the parent's did at the moment of the fork. */
  unshare(): void {
    for (const fd of this.#wakers) {
      replace(newEventfd(), [fd]);
    }
    if (this.#signalReceivers.length > 0) {
      const [receiver, sender] = newSocketPair();
      replace(receiver, this.#signalReceivers);
      replace(sender, this.#signalSenders);
    }
    for (const epoll of this.#epolls) {
      replace(newEpoll(parseRegistrations(epoll)), epoll.fds);
    }
  }

  /** Closes what the looking took. */
  close(): void {
    for (const { file } of this.#epolls) descriptorSymbols().close(file);
  }
}

function findEpolls(links: ReadonlyMap<number, string>): EpollInstance[] {
  const found = new Map<string, EpollInstance>();
  for (const [fd, link] of links) {
    if (link !== "anon_inode:[eventpoll]") continue;
    const file = openProc(`/proc/self/fdinfo/${fd}`);
    const epoll = readInstance(fd, file);
    // Two numbers of one instance show the same registrations; two instances never do, for each has its own waker.
    const key = registrationLines(epoll).join("\n");
    const twin = found.get(key);
    if (twin === undefined) {
      found.set(key, epoll);
    } else {
      twin.fds.push(fd);
      descriptorSymbols().close(file);
    }
  }
  return [...found.values()];
}

function readInstance(fd: number, file: number): EpollInstance {
  for (let size = 4096;; size *= 2) {
    const text = new Uint8Array(new ArrayBuffer(size));
    const length = rereadProc(file, text);
    // Half of it stays free for what is registered between now and the fork.
    if (length * 2 < size) return { fds: [fd], file, text, length };
  }
}

function registrationLines(epoll: EpollInstance): string[] {
  return decoder.decode(epoll.text.subarray(0, epoll.length)).split("\n")
    .filter((line) => line.startsWith("tfd:")).sort();
}

/** Reads lines such as `tfd:        8 events: 80002019 data:                1  pos:0 ino:18dd sdev:9`. */
function parseRegistrations(epoll: EpollInstance): Registration[] {
  return registrationLines(epoll).map((line) => {
    const match = /^tfd:\s*(\d+)\s+events:\s*([0-9a-f]+)\s+data:\s*([0-9a-f]+)/
      .exec(line);
    if (match === null) throw unknownRuntime(`fdinfo says ${line}`);
    return {
      fd: Number(match[1]),
      events: parseInt(match[2]!, 16),
      data: BigInt(`0x${match[3]}`),
    };
  });
}

/**
 * The socket pair of tokio's signal handlers: each loop watches a duplicate of its receiving end.
 *
 * Nothing short of netlink names a socket's peer, but the two ends were made by one call and so have neighbouring inodes.
 */
function findSignalSockets(
  links: ReadonlyMap<number, string>,
  registrations: readonly Registration[],
): { receivers: number[]; senders: number[] } {
  const watched = registrations.find(({ fd, data }) =>
    data === SIGNAL_TOKEN && links.get(fd)?.startsWith("socket:[")
  );
  if (watched === undefined) return { receivers: [], senders: [] };
  const inode = inodeOf(links.get(watched.fd)!);
  const withInode = (wanted: number) =>
    [...links].filter(([, link]) => inodeOf(link) === wanted).map(([fd]) => fd);
  const senders = [...withInode(inode - 1), ...withInode(inode + 1)];
  if (senders.length !== 1) {
    throw unknownRuntime(
      `the signal socket ${watched.fd} has ${senders.length} possible peers`,
    );
  }
  return { receivers: withInode(inode), senders };
}

function inodeOf(link: string): number {
  return Number(/^socket:\[(\d+)\]$/.exec(link)?.[1] ?? -1);
}

function newEventfd(): number {
  return checkValue(
    forkSymbols().eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK),
    "eventfd",
    () => "Cannot make a waker",
  );
}

function newSocketPair(): [number, number] {
  const pair = new Int32Array(2);
  checkZero(
    forkSymbols().socketpair(
      AF_UNIX,
      SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK,
      0,
      pair,
    ),
    "socketpair",
    () => "Cannot make a signal socket pair",
  );
  return [pair[0]!, pair[1]!];
}

function newEpoll(registrations: readonly Registration[]): number {
  const libc = forkSymbols();
  const epoll = checkValue(
    libc.epoll_create1(EPOLL_CLOEXEC),
    "epoll_create1",
    () => "Cannot make an event loop",
  );
  const event = new DataView(new ArrayBuffer(EPOLL_EVENT.size));
  for (const { fd, events, data } of registrations) {
    event.setUint32(EPOLL_EVENT.fields.events, events, true);
    event.setBigUint64(EPOLL_EVENT.fields.data, data, true);
    // A registration can outlive its number (when a duplicate is still open); such a one has nothing to be renewed.
    libc.epoll_ctl(epoll, EPOLL_CTL_ADD, fd, event);
  }
  return epoll;
}

/** Puts a new description under the numbers of an old one. */
function replace(fd: number, numbers: readonly number[]): void {
  for (const number of numbers) {
    checkValue(
      descriptorSymbols().dup3(fd, number, O_CLOEXEC),
      "dup3",
      () => `Cannot replace descriptor ${number}`,
    );
  }
  descriptorSymbols().close(fd);
}

function unknownRuntime(detail: string): PosixError {
  return new PosixError("Cannot fork", {
    errno: ERRNO.ENOTSUP,
    syscall: "fork",
    detail: `the runtime is not built as expected: ${detail}`,
  });
}
