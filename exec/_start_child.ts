import { cString, StringRoom } from "../ffi/_arguments.ts";
import { checkErrorNumber } from "../ffi/_libc.ts";
import { SIGNAL_NUMBERS } from "../ffi/_signals.ts";
import { descriptorSymbols, spawnSymbols } from "../ffi/_symbols.ts";
import {
  F_GETFD,
  FD_CLOEXEC,
  O_RDWR,
  POSIX_SPAWN_SETPGROUP,
  POSIX_SPAWN_SETSID,
  POSIX_SPAWN_SETSIGDEF,
  POSIX_SPAWN_SETSIGMASK,
} from "../ffi/constants.ts";
import {
  SIGSET,
  SPAWN_ATTRIBUTES,
  SPAWN_FILE_ACTIONS,
} from "../ffi/layouts.ts";
import type { ChildFds, Redirection } from "../process/_child_fds.ts";
import { listProc } from "../process/_fork/proc_file.ts";
import { ChildParts } from "../process/child_process.ts";
import { kill } from "../process/kill.ts";
import { waitpid } from "../wait/wait.ts";
import { followChild, type Follower } from "../wait/wait_async.ts";
import { forkExec, startFailure } from "./_fork_exec.ts";
import type { FileAction, Launch } from "./_launch.ts";

/** The signals of a program at its start. */
export interface ProgramSignals {
  /** Those that are blocked, as a `sigset_t`. */
  readonly blocked: Uint8Array<ArrayBuffer>;
  /** Those that are to have their default actions though they are ignored here, by number. */
  readonly reset: readonly number[];
}

/** A `sigset_t` of some signals, by number. */
export function signalSet(signals: Iterable<number>): Uint8Array<ArrayBuffer> {
  const set = new Uint8Array(new ArrayBuffer(SIGSET.size));
  for (const signal of signals) {
    const bit = signal - 1;
    set[bit >> 3]! |= 1 << (bit & 7);
  }
  return set;
}

/** What a program has if nothing else is asked for: SIGPIPE is ignored here by Deno itself, not by anybody's wish. */
export const PLAIN_SIGNALS: ProgramSignals = {
  blocked: signalSet([]),
  reset: [SIGNAL_NUMBERS.SIGPIPE],
};

/** Starts a program by `posix_spawnp`: one call, in which nothing of this process is copied. */
function posixSpawn(launch: Launch): number {
  const plain = isPlain(launch);
  const structs = plain
    ? plainStructs ??= new Structs(launch)
    : new Structs(launch);
  try {
    const errno = spawnSymbols().posix_spawnp(
      pid,
      cString(launch.file, "file"),
      structs.actions,
      structs.attributes,
      room.array(launch.args),
      launch.environment.address,
    );
    if (errno !== 0) throw startFailure(launch, errno);
    return pid[0]!;
  } finally {
    if (!plain) structs.destroy();
  }
}

const pid = new Int32Array(new ArrayBuffer(4));

/** For the arguments: `posix_spawn` comes back when the program has them. */
const room = new StringRoom();

/** What most programs are started with, made once. */
let plainStructs: Structs | undefined;

function isPlain(launch: Launch): boolean {
  return launch.signals === PLAIN_SIGNALS &&
    launch.fileActions === CLOSE_FROM_THREE && launch.cwd === undefined &&
    !launch.newSession && launch.processGroup === undefined;
}

/** What `posix_spawn` wants to be told in structs of C. */
class Structs {
  readonly attributes = new Uint8Array(new ArrayBuffer(SPAWN_ATTRIBUTES.size));
  readonly actions = new Uint8Array(new ArrayBuffer(SPAWN_FILE_ACTIONS.size));

  constructor(launch: Launch) {
    const libc = spawnSymbols();
    libc.posix_spawnattr_init(this.attributes);
    libc.posix_spawn_file_actions_init(this.actions);
    try {
      this.#setAttributes(launch);
      this.#changeDirectory(launch.cwd);
      for (const action of launch.fileActions) this.#add(action);
    } catch (error) {
      this.destroy();
      throw error;
    }
  }

  /** Gives back what libc has allocated for it. */
  destroy(): void {
    const libc = spawnSymbols();
    libc.posix_spawn_file_actions_destroy(this.actions);
    libc.posix_spawnattr_destroy(this.attributes);
  }

  #setAttributes({ signals, newSession, processGroup }: Launch): void {
    const libc = spawnSymbols();
    let flags = POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF;
    libc.posix_spawnattr_setsigmask(this.attributes, signals.blocked);
    libc.posix_spawnattr_setsigdefault(
      this.attributes,
      signalSet(signals.reset),
    );
    if (newSession) flags |= POSIX_SPAWN_SETSID;
    else if (processGroup !== undefined) {
      flags |= POSIX_SPAWN_SETPGROUP;
      libc.posix_spawnattr_setpgroup(this.attributes, processGroup);
    }
    libc.posix_spawnattr_setflags(this.attributes, flags);
  }

  #changeDirectory(cwd: string | undefined): void {
    if (cwd === undefined) return;
    check(
      spawnSymbols().posix_spawn_file_actions_addchdir_np(
        this.actions,
        cString(cwd, "cwd"),
      ),
      "addchdir_np",
      `directory ${cwd}`,
    );
  }

  #add(action: FileAction): void {
    const libc = spawnSymbols();
    const { actions } = this;
    switch (action.do) {
      case "dup2":
        return check(
          libc.posix_spawn_file_actions_adddup2(
            actions,
            action.from,
            action.to,
          ),
          "adddup2",
          `descriptor ${action.to}`,
        );
      case "close":
        return check(
          libc.posix_spawn_file_actions_addclose(actions, action.fd),
          "addclose",
          `descriptor ${action.fd}`,
        );
      case "closefrom":
        return check(
          libc.posix_spawn_file_actions_addclosefrom_np!(actions, action.fd),
          "addclosefrom_np",
          `descriptor ${action.fd}`,
        );
      case "open":
        return check(
          libc.posix_spawn_file_actions_addopen(
            actions,
            action.fd,
            cString(action.path, "path"),
            action.flags,
            0,
          ),
          "addopen",
          `descriptor ${action.fd}`,
        );
    }
  }
}

function check(errno: number, call: string, what: string): void {
  checkErrorNumber(
    errno,
    `posix_spawn_file_actions_${call}`,
    () => `Cannot give ${what} to a program`,
  );
}

const STDERR = 2;

/** What most programs need: all but the standard streams is closed. */
const CLOSE_FROM_THREE: readonly FileAction[] = [
  { do: "closefrom", fd: STDERR + 1 },
];

/** What there is besides descriptors to be put in their places. */
interface Possibilities {
  /** Whether the program is started by `posix_spawn`, which can close all from some number on. */
  readonly canCloseFrom: boolean;
  /** The path of a terminal that is to be the three standard streams. */
  readonly terminal?: string | undefined;
}

/**
 * What gives a program the descriptors that it is to have, and no others: whatever anybody in this process has open without
 * close-on-exec stays here.
 *
 * First those are moved away that lie where another one is to go, so that any permutation works.
 */
function descriptorActions(
  redirections: readonly Redirection[],
  { canCloseFrom, terminal }: Possibilities,
): readonly FileAction[] {
  const closesFrom = canCloseFrom && hasCloseFrom();
  if (closesFrom && redirections.length === 0 && terminal === undefined) {
    return CLOSE_FROM_THREE;
  }
  const targets = new Set(redirections.map(({ target }) => target));
  const terminalActions: FileAction[] = [];
  if (terminal !== undefined) {
    terminalActions.push(
      { do: "open", fd: 0, path: terminal, flags: O_RDWR },
      { do: "dup2", from: 0, to: 1 },
      { do: "dup2", from: 0, to: STDERR },
    );
    for (let fd = 0; fd <= STDERR; fd++) targets.add(fd);
  }
  const taken = new Set([
    ...targets,
    ...redirections.map(({ source }) => source),
  ]);
  const moves: FileAction[] = [];
  const placements: FileAction[] = [];
  const spares: number[] = [];
  let spare = STDERR;
  for (const { source, target } of redirections) {
    let from = source;
    if (source !== target && targets.has(source)) {
      while (taken.has(++spare));
      spares.push(spare);
      moves.push({ do: "dup2", from: source, to: spare });
      from = spare;
    }
    // One that is in its place already is made to stay open by the same call.
    placements.push({ do: "dup2", from, to: target });
  }
  const afterLast = Math.max(STDERR, ...targets) + 1;
  const hasGap = [...targets].filter((fd) => fd > STDERR).length <
    afterLast - STDERR - 1;
  const strays = !closesFrom || hasGap ? openInPrograms() : [];
  const closings = [...new Set([...strays, ...spares])]
    .filter((fd) => !targets.has(fd) && !(closesFrom && fd >= afterLast))
    .map((fd): FileAction => ({ do: "close", fd }));
  return [
    ...moves,
    ...terminalActions,
    ...placements,
    ...closings,
    ...(closesFrom ? [{ do: "closefrom", fd: afterLast } as const] : []),
  ];
}

function hasCloseFrom(): boolean {
  return spawnSymbols().posix_spawn_file_actions_addclosefrom_np !== null;
}

/** The descriptors of this process, after the standard ones, that a program would inherit. */
function openInPrograms(): number[] {
  const { fcntl } = descriptorSymbols();
  return listProc("/proc/self/fd").filter((fd) => {
    const flags = fcntl(fd, F_GETFD, 0);
    return fd > STDERR && flags !== -1 && (flags & FD_CLOEXEC) === 0;
  });
}

/** A program that is to be started. */
export interface Start {
  readonly launch: Omit<Launch, "fileActions">;
  /** The descriptors that it is to have. */
  readonly fds: ChildFds;
  /** The path of a terminal that is to be its standard streams, and, with `newSession`, its controlling terminal. */
  readonly terminal?: string;
}

/**
 * Starts a program with the descriptors that were opened for it, and follows it. If any of that fails there is no child, and
 * all of them are closed.
 */
export function startChild(
  launch: Start["launch"],
  fds: ChildFds,
  terminal?: string,
): ChildParts {
  const start = terminal === undefined
    ? { launch, fds }
    : { launch, fds, terminal };
  return startChildren([start])[0]!;
}

/** Starts several programs: all of them or, if anything fails, none. */
export function startChildren(starts: readonly Start[]): ChildParts[] {
  const pids: number[] = [];
  let followers: Follower[];
  try {
    for (const start of starts) pids.push(begin(start));
    followers = pids.map((pid) => followChild(pid));
  } catch (error) {
    for (const pid of pids) kill(pid, "SIGKILL");
    for (const pid of pids) waitpid(pid);
    for (const { fds } of starts) fds.close();
    throw error;
  }
  return followers.map((follower, index) =>
    new ChildParts(pids[index]!, follower, starts[index]!.fds.connect())
  );
}

/**
 * Starts a program, and gives its pid; the error says what was wrong, and then there is no child.
 *
 * By `posix_spawn` wherever that can do what is asked. Of the rest, some is the property of a whole process (limits, the
 * file mode mask), and could be set neither here, where other threads would see it, nor in a program that runs already; some
 * the kernel takes away from a new process (the parent's death signal). For that this process is forked.
 */
function begin({ launch, fds, terminal }: Start): number {
  const start = launch.settings === undefined ? posixSpawn : forkExec;
  const fileActions = descriptorActions(fds.redirections, {
    canCloseFrom: launch.settings === undefined,
    terminal,
  });
  return start({ ...launch, fileActions });
}
