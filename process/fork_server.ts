import { checkFunction } from "../ffi/_arguments.ts";
import { signalNumber } from "../ffi/_signals.ts";
import { descriptorSymbols } from "../ffi/_symbols.ts";
import { POLLIN, SOCK_SEQPACKET } from "../ffi/constants.ts";
import { close } from "../ipc/descriptors.ts";
import { Queue } from "../ipc/queue.ts";
import { QueueClosed } from "../ipc/queue_errors.ts";
import { recvFds, sendFds, socketpair } from "../ipc/sockets.ts";
import type { Verdict, Watched } from "../wait/_watched.ts";
import { lookSoon, referencesChanged, watch } from "../wait/_watcher.ts";
import type { WaitUsageResult } from "../wait/types.ts";
import { type Follower, signalChild } from "../wait/wait_async.ts";
import { ChildFds } from "./_child_fds.ts";
import { planOf } from "./_planned_fork.ts";
import { portable, type PortableError, revive } from "./_portable_error.ts";
import { QueueListener } from "./_queue_listener.ts";
import { ChildParts, ChildProcess } from "./child_process.ts";
import { bearChild, forkChild } from "./fork_child.ts";
import type { ForkOptions } from "./fork_options.ts";
import { getpid } from "./ids.ts";

/** What the server is asked for. */
interface Request {
  readonly id: number;
  readonly argument: unknown;
  /** Without the standard streams: those come through the socket. */
  readonly options: ForkOptions;
  /** Which standard streams come through the socket, in that order. */
  readonly targets: readonly number[];
}

/** What the server tells of a child. */
type Notice = StartNotice | RefusalNotice | EndNotice;

/** It runs. */
interface StartNotice {
  readonly kind: "started";
  readonly id: number;
  readonly pid: number;
  /** Whether its pidfd comes through the socket: not if it has ended and was reaped already. */
  readonly hasPidfd: boolean;
}

/** There is none. */
interface RefusalNotice {
  readonly kind: "refused";
  readonly id: number;
  readonly error: PortableError;
}

/** It has ended. */
interface EndNotice {
  readonly kind: "ended";
  readonly id: number;
  readonly result: WaitUsageResult;
}

/** A child of the fork server, followed from the process that has asked for it: it is the server that can wait for it. */
class ServedChild implements Follower, Watched {
  /** Its pid. */
  readonly pid: number;
  readonly fd: number;
  readonly events = POLLIN;
  readonly mayLinger = true;
  readonly result: Promise<WaitUsageResult>;
  /** Resolved when its pidfd is closed. */
  readonly released: Promise<void>;
  /** Settles the result. */
  resolve!: (result: WaitUsageResult) => void;
  /** Settles the result: nobody will say how it has ended. */
  reject!: (reason: unknown) => void;
  readonly #ended: () => void;
  #referenced = true;
  #open: boolean;
  #abandoned = false;
  #release!: () => void;

  /** Follows it by its pidfd, and says when it has ended. Without one, it has. */
  constructor(pid: number, pidfd: number | undefined, ended: () => void) {
    this.pid = pid;
    this.fd = pidfd ?? -1;
    this.#open = pidfd !== undefined;
    this.#ended = ended;
    this.result = new Promise((resolve, reject) => {
      this.resolve = resolve;
      this.reject = reject;
    });
    this.result.catch(() => {});
    this.released = new Promise((resolve) => this.#release = resolve);
    if (this.#open) watch(this);
    else this.settle();
  }

  get pidfd(): number | undefined {
    return this.#open ? this.fd : undefined;
  }

  get referenced(): boolean {
    return this.#referenced;
  }

  /** Lets go of it: the server, which would tell of its end, is gone. */
  abandon(reason: unknown): void {
    this.reject(reason);
    this.#abandoned = true;
    lookSoon();
  }

  kill(signal: number): boolean {
    return this.#open && signalChild(this.fd, this.pid, signal);
  }

  reference(on: boolean): void {
    this.#referenced = on;
    referencesChanged();
  }

  look(ready: boolean): Verdict {
    return ready || this.#abandoned ? "done" : "watch";
  }

  fail(error: unknown): void {
    this.reject(error);
  }

  release(): void {
    this.#open = false;
    descriptorSymbols().close(this.fd);
  }

  settle(): void {
    if (this.#open) return;
    this.#release();
    this.#ended();
  }
}

const STREAMS = ["stdin", "stdout", "stderr"] as const;

/** The server, in its own process: forks whenever it is asked to, until nobody can ask any more. */
async function serve<Argument>(
  body: (argument: Argument) => number | void | Promise<number | void>,
  requests: Queue<Request>,
  notices: Queue<Notice>,
  socket: number,
): Promise<void> {
  const ends = new Set<Promise<unknown>>();
  for (;;) {
    try {
      const request = await requests.getAsync();
      const child = await attend(request, body, notices, socket);
      if (child === undefined) continue;
      const end = child.end.finally(() => ends.delete(end));
      ends.add(end);
    } catch (error) {
      if (!(error instanceof QueueClosed)) throw error;
      await Promise.all(ends);
      return;
    }
  }
}

async function attend<Argument>(
  { id, argument, options, targets }: Request,
  body: (argument: Argument) => number | void | Promise<number | void>,
  notices: Queue<Notice>,
  socket: number,
): Promise<{ end: Promise<void> } | undefined> {
  const fds = targets.length > 0 ? recvFds(socket, targets.length).fds : [];
  const streams: ForkOptions = {};
  targets.forEach((target, index) => streams[STREAMS[target]!] = fds[index]!);
  try {
    const { pid, follower } = await bearChild(() => {
      close(socket);
      return body(argument as Argument);
    }, { ...options, ...streams });
    const { pidfd } = follower;
    if (pidfd !== undefined) sendFds(socket, [pidfd]);
    notices.put({ id, kind: "started", pid, hasPidfd: pidfd !== undefined });
    const end = follower.result.then((result) =>
      notices.put({ id, kind: "ended", result })
    );
    return { end };
  } catch (error) {
    notices.put({ id, kind: "refused", error: portable(error) });
  } finally {
    for (const fd of fds) close(fd);
  }
}

/**
 * Forks a small, quiet process that forks on request: for a program whose own heap or threads will make forking dear.
 *
 * Called early, before tables are built and servers are started, it keeps a process as it is now. Each later
 * {@linkcode ForkServer.prototype.fork | ForkServer.fork} makes a child of *that*, in the time that its size takes,
 * whatever has become of this one: the child has what was there when the server was forked, and the argument that it is
 * given.
 *
 * The server ends when it is closed, and when this process ends. It does not keep this process alive.
 *
 * @typeParam Argument What the body is given, by structured clone.
 * @param body What each child does: its number is the exit code, as for {@linkcode forkChild}.
 * @returns The server, as soon as it runs.
 * @throws {TypeError} If `body` is no function.
 * @throws {PosixError} As {@linkcode fork}; `EMFILE` if there is no descriptor free.
 *
 * @example Children of a small process
 * ```ts
 * import { forkServer } from "@posix/process/process";
 * import { assertEquals } from "@std/assert";
 *
 * await using server = await forkServer((n: number) => n * 2);
 * const table = new Array(1_000_000).fill("what the children do without");
 * const child = await server.fork(21);
 * assertEquals((await child.status).code, 42);
 * assertEquals(table.length, 1_000_000);
 * ```
 *
 * @see {@link https://docs.python.org/3/library/multiprocessing.html#contexts-and-start-methods | forkserver of multiprocessing}
 */
export async function forkServer<Argument = void>(
  body: (argument: Argument) => number | void | Promise<number | void>,
): Promise<ForkServer<Argument>> {
  checkFunction(body, "body");
  const requests = new Queue<Request>();
  const notices = new Queue<Notice>();
  const [socket, theirs] = socketpair(SOCK_SEQPACKET);
  try {
    const child = await forkChild(() => {
      close(socket);
      return serve(body, requests, notices, theirs);
    }, { name: "fork-server", parentDeathSignal: "SIGKILL" });
    child.unref();
    return new ForkServer(CONSTRUCTION, { child, requests, notices, socket });
  } catch (error) {
    close(socket);
    requests[Symbol.dispose]();
    notices[Symbol.dispose]();
    throw error;
  } finally {
    close(theirs);
  }
}

/** Nobody else has it, and so nobody else can make a server. */
const CONSTRUCTION = Symbol("forkServer");

interface ServerParts {
  readonly child: ChildProcess;
  readonly requests: Queue<Request>;
  readonly notices: Queue<Notice>;
  readonly socket: number;
}

interface Pending {
  resolve(child: ServedChild): void;
  reject(reason: unknown): void;
}

/**
 * A process that forks on request, as {@linkcode forkServer} gives it.
 *
 * @typeParam Argument What the children are given.
 *
 * @example A child with an argument
 * ```ts
 * import { forkServer } from "@posix/process/process";
 * import { write } from "@posix/process/ipc";
 * import { assertEquals } from "@std/assert";
 *
 * await using server = await forkServer((name: string) => void write(1, `hello ${name}`));
 * const child = await server.fork("world", { stdout: "piped" });
 * assertEquals(await child.text(), "hello world");
 * ```
 *
 * @see {@link https://docs.python.org/3/library/multiprocessing.html#contexts-and-start-methods | forkserver of multiprocessing}
 */
export class ForkServer<Argument> implements AsyncDisposable {
  readonly #parts: ServerParts;
  readonly #owner = getpid();
  readonly #pending = new Map<number, Pending>();
  readonly #children = new Map<number, ServedChild>();
  /** The closing of each child's pidfd that has not happened yet. */
  readonly #released = new Set<Promise<void>>();
  /** Those of whom there is a notice to come soon. */
  readonly #expected = new Set<number>();
  readonly #listener: QueueListener<Notice>;
  #ids = 0;
  #lost = false;
  /** Resolved when the server has ended, and all know it. */
  readonly #gone: Promise<void>;
  #closed: Promise<void> | undefined;

  /**
   * Not for users: {@linkcode forkServer} makes them.
   *
   * @ignore
   */
  constructor(key: symbol, parts: unknown) {
    if (key !== CONSTRUCTION) throw new TypeError("Illegal constructor");
    this.#parts = parts as ServerParts;
    this.#listener = new QueueListener(
      this.#parts.notices,
      () => this.#expected.size > 0,
    );
    this.#gone = this.#parts.child.status.then(() => this.#lose());
  }

  /** The server's pid. */
  get pid(): number {
    return this.#parts.child.pid;
  }

  /**
   * Has the server fork a child, which runs the body with this argument.
   *
   * @param argument What the body is given.
   * @param options As for {@linkcode forkChild}. A descriptor given as a stream is one of this process; what is inherited is the
   * server's.
   * @returns The child, as soon as it runs. The server is its parent, and tells how it has ended.
   * @throws {DOMException} `DataCloneError` if the argument cannot be cloned.
   * @throws {TypeError} If the server is closed, or has ended; or if an option is wrong.
   * @throws {PosixError} What the fork has failed with in the server.
   *
   * @example Many children
   * ```ts
   * import { forkServer } from "@posix/process/process";
   * import { assertEquals } from "@std/assert";
   *
   * await using server = await forkServer((code: number) => code);
   * const children = await Promise.all([1, 2, 3].map((code) => server.fork(code)));
   * const ends = await Promise.all(children.map(({ status }) => status));
   * assertEquals(ends.map(({ code }) => code), [1, 2, 3]);
   * ```
   */
  async fork(
    argument: Argument,
    options: ForkOptions = {},
  ): Promise<ChildProcess> {
    this.#check();
    const { stdin: _, stdout: __, stderr: ___, ...others } = options;
    const fds = new ChildFds(planOf(options).stdio.entries());
    const id = ++this.#ids;
    try {
      const sources = fds.redirections.map(({ source }) => source);
      const targets = fds.redirections.map(({ target }) => target);
      const request = { id, argument, options: others, targets };
      // What cannot be cloned must not leave descriptors behind in the socket.
      this.#parts.requests.putNowait(request);
      if (sources.length > 0) sendFds(this.#parts.socket, sources);
    } catch (error) {
      fds.close();
      throw error;
    }
    try {
      const child = await this.#started(id);
      return new ChildProcess(new ChildParts(child.pid, child, fds.connect()));
    } catch (error) {
      fds.close();
      throw error;
    }
  }

  /**
   * Has the server end when its children have. Twice without harm.
   *
   * @returns When it has ended.
   * @throws {PosixError} `ECHILD` if somebody else has reaped the server.
   *
   * @example Closing
   * ```ts
   * import { forkServer } from "@posix/process/process";
   * import { assertEquals } from "@std/assert";
   *
   * const server = await forkServer((code: number) => code);
   * const child = await server.fork(5);
   * await server.close();
   * assertEquals((await child.status).code, 5);
   * ```
   */
  close(): Promise<void> {
    if (getpid() !== this.#owner) return Promise.resolve();
    return this.#closed ??= this.#close();
  }

  /** Ends its children with SIGTERM, and the server. Twice without harm. */
  async [Symbol.asyncDispose](): Promise<void> {
    if (getpid() === this.#owner) {
      for (const child of this.#children.values()) {
        child.kill(signalNumber("SIGTERM"));
      }
    }
    await this.close();
  }

  async #close(): Promise<void> {
    const { child, requests, notices, socket } = this.#parts;
    requests.close();
    child.ref();
    await this.#gone;
    while (this.#released.size > 0) await Promise.all(this.#released);
    await this.#listener.stop();
    requests[Symbol.dispose]();
    notices[Symbol.dispose]();
    close(socket);
  }

  #check(): void {
    if (getpid() !== this.#owner) {
      throw new TypeError(
        "Cannot use a fork server of the parent in a forked child",
      );
    }
    if (this.#closed || this.#lost) {
      throw new TypeError(
        `Cannot fork as the server ${this.#closed ? "is closed" : "has ended"}`,
      );
    }
  }

  #started(id: number): Promise<ServedChild> {
    const started = new Promise<ServedChild>(
      (resolve, reject) => this.#pending.set(id, { resolve, reject }),
    );
    this.#expect(id);
    return started;
  }

  /** Waits for a notice about a child, and takes the others on the way. */
  #expect(id: number): void {
    this.#expected.add(id);
    this.#listener.listen((notice) => this.#accept(notice));
  }

  #accept(notice: Notice): void {
    const { id } = notice;
    this.#expected.delete(id);
    if (notice.kind === "ended") {
      this.#children.get(id)?.resolve(notice.result);
      this.#children.delete(id);
      return;
    }
    const pending = this.#pending.get(id)!;
    this.#pending.delete(id);
    if (notice.kind === "refused") {
      pending.reject(revive(notice.error));
      return;
    }
    const { socket } = this.#parts;
    const pidfd = notice.hasPidfd ? recvFds(socket, 1).fds[0] : undefined;
    const child = new ServedChild(notice.pid, pidfd, () => {
      if (this.#children.has(id)) this.#expect(id);
    });
    this.#children.set(id, child);
    if (pidfd === undefined) this.#expect(id);
    const forget = () => this.#released.delete(child.released);
    this.#released.add(child.released);
    child.released.then(forget);
    pending.resolve(child);
  }

  /** The server has ended: what it has told counts, and more it will not tell. */
  async #lose(): Promise<void> {
    this.#lost = true;
    // A notice may have been taken from the queue, and be on its way to where it is accepted.
    await new Promise((resolve) => setTimeout(resolve));
    for (const notice of this.#listener.present()) this.#accept(notice);
    const reason = new Error("The fork server has ended");
    for (const { reject } of this.#pending.values()) reject(reason);
    for (const child of this.#children.values()) child.abandon(reason);
    this.#pending.clear();
    this.#children.clear();
    this.#expected.clear();
    this.#listener.stop();
  }
}
