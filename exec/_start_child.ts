import { descriptorSymbols, programSymbols } from "../ffi/_symbols.ts";
import {
  F_GETFD,
  FD_CLOEXEC,
  O_RDWR,
  SYS_close_range,
} from "../ffi/constants.ts";
import { close } from "../ipc/descriptors.ts";
import type { ChildFds, Redirection } from "../process/_child_fds.ts";
import { listProc } from "../process/_fork/proc_file.ts";
import { ChildParts } from "../process/child_process.ts";
import { kill } from "../process/kill.ts";
import { waitpid } from "../wait/wait.ts";
import { followChild, type Follower } from "../wait/wait_async.ts";
import { LAST_FD } from "./_child_steps.ts";
import type { FileAction, Launch } from "./_launch.ts";
import { kernel, type Started, vforkExec } from "./_vfork_exec.ts";

const STDERR = 2;

/** What most programs need: the standard streams, and nothing else. */
const STANDARD_STREAMS: readonly FileAction[] = [
  { do: "copy standard streams" },
];

/**
 * What gives a program the descriptors that it is to have, and no others: whatever anybody in this process has open without
 * close-on-exec stays here.
 *
 * First those are moved away that lie where another one is to go, so that any permutation works.
 */
function descriptorActions(
  redirections: readonly Redirection[],
  terminal: string | undefined,
): readonly FileAction[] {
  const closesFrom = hasCloseRange();
  if (closesFrom && redirections.length === 0 && terminal === undefined) {
    return STANDARD_STREAMS;
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

function hasCloseRange(): boolean {
  return kernel.closesRanges ??= programSymbols().close_range(
    BigInt(SYS_close_range),
    LAST_FD,
    LAST_FD,
    0,
  ) === 0;
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
  const started: Started[] = [];
  const followers: Follower[] = [];
  try {
    for (const start of starts) started.push(begin(start));
    for (const { pid, pidfd } of started) {
      followers.push(followChild(pid, pidfd));
    }
  } catch (error) {
    for (const { pid } of started) kill(pid, "SIGKILL");
    for (const { pid } of started) waitpid(pid);
    // The others are their followers' to close, of whose news nobody waits any more.
    for (const { pidfd } of started.slice(followers.length)) close(pidfd);
    for (const { result } of followers) result.catch(() => {});
    for (const { fds } of starts) fds.close();
    throw error;
  }
  return followers.map((follower, index) =>
    new ChildParts(
      started[index]!.pid,
      follower,
      starts[index]!.fds.connect(),
    )
  );
}

/** Starts a program; the error says what was wrong, and then there is no child. */
function begin({ launch, fds, terminal }: Start): Started {
  const fileActions = descriptorActions(fds.redirections, terminal);
  return vforkExec({ ...launch, fileActions });
}
