import {
  POSIX_SPAWN_SETPGROUP,
  POSIX_SPAWN_SETSID,
  POSIX_SPAWN_SETSIGDEF,
  POSIX_SPAWN_SETSIGMASK,
} from "../ffi/constants.ts";
import { cString } from "../ffi/_c_strings.ts";
import { SPAWN_ATTRIBUTES, SPAWN_FILE_ACTIONS } from "../ffi/layouts.ts";
import { checkErrorNumber } from "../ffi/_results.ts";
import { spawnSymbols } from "../ffi/_symbols.ts";
import type { FileAction, Launch } from "./_launch.ts";
import { startFailure } from "./_start_failure.ts";
import { signalSet } from "./_signal_set.ts";

type Struct = Uint8Array<ArrayBuffer>;

/** Starts a program by `posix_spawnp`: one call, in which nothing of this process is copied. */
export function posixSpawn(launch: Launch): number {
  const libc = spawnSymbols();
  const attributes = new Uint8Array(SPAWN_ATTRIBUTES.size);
  const actions = new Uint8Array(SPAWN_FILE_ACTIONS.size);
  libc.posix_spawnattr_init(attributes);
  libc.posix_spawn_file_actions_init(actions);
  try {
    setAttributes(attributes, launch);
    if (launch.cwd !== undefined) {
      check(
        libc.posix_spawn_file_actions_addchdir_np(
          actions,
          cString(launch.cwd, "cwd"),
        ),
        "addchdir_np",
        `directory ${launch.cwd}`,
      );
    }
    for (const action of launch.fileActions) addAction(actions, action);
    const pid = new Int32Array(1);
    const errno = libc.posix_spawnp(
      pid,
      cString(launch.file, "file"),
      actions,
      attributes,
      launch.argv,
      launch.environment.address,
    );
    if (errno !== 0) throw startFailure(launch, errno);
    return pid[0]!;
  } finally {
    libc.posix_spawn_file_actions_destroy(actions);
    libc.posix_spawnattr_destroy(attributes);
  }
}

function setAttributes(attributes: Struct, launch: Launch): void {
  const libc = spawnSymbols();
  let flags = POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF;
  libc.posix_spawnattr_setsigmask(attributes, launch.signalMask);
  libc.posix_spawnattr_setsigdefault(
    attributes,
    signalSet(launch.defaultSignals),
  );
  if (launch.newSession) flags |= POSIX_SPAWN_SETSID;
  else if (launch.processGroup !== undefined) {
    flags |= POSIX_SPAWN_SETPGROUP;
    libc.posix_spawnattr_setpgroup(attributes, launch.processGroup);
  }
  libc.posix_spawnattr_setflags(attributes, flags);
}

function addAction(actions: Struct, action: FileAction): void {
  const libc = spawnSymbols();
  switch (action.do) {
    case "dup2":
      return check(
        libc.posix_spawn_file_actions_adddup2(actions, action.from, action.to),
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

function check(errno: number, call: string, what: string): void {
  checkErrorNumber(
    errno,
    `posix_spawn_file_actions_${call}`,
    () => `Cannot give ${what} to a program`,
  );
}
