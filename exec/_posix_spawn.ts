import { cString, StringRoom } from "../ffi/_c_strings.ts";
import {
  POSIX_SPAWN_SETPGROUP,
  POSIX_SPAWN_SETSID,
  POSIX_SPAWN_SETSIGDEF,
  POSIX_SPAWN_SETSIGMASK,
} from "../ffi/constants.ts";
import { SPAWN_ATTRIBUTES, SPAWN_FILE_ACTIONS } from "../ffi/layouts.ts";
import { checkErrorNumber } from "../ffi/_results.ts";
import { spawnSymbols } from "../ffi/_symbols.ts";
import { CLOSE_FROM_THREE } from "./_descriptor_actions.ts";
import type { FileAction, Launch } from "./_launch.ts";
import { PLAIN_SIGNALS, signalSet } from "./_program_signals.ts";
import { startFailure } from "./_start_failure.ts";

/** Starts a program by `posix_spawnp`: one call, in which nothing of this process is copied. */
export function posixSpawn(launch: Launch): number {
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
