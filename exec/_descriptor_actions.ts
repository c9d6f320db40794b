import { F_GETFD, FD_CLOEXEC, O_RDWR } from "../ffi/constants.ts";
import { descriptorSymbols, spawnSymbols } from "../ffi/_symbols.ts";
import type { Redirection } from "../process/_child_fds.ts";
import { listProc } from "../process/_fork/proc_file.ts";
import type { FileAction } from "./_launch.ts";

const STDERR = 2;

/** What most programs need: all but the standard streams is closed. */
export const CLOSE_FROM_THREE: readonly FileAction[] = [
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
export function descriptorActions(
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
