import { O_CLOEXEC, O_PATH } from "../ffi/constants.ts";
import { cString } from "../ffi/_c_strings.ts";
import { ERRNO } from "../ffi/errno.ts";
import { PosixError } from "../ffi/posix_error.ts";
import { lastError } from "../ffi/_results.ts";
import { descriptorSymbols, processSymbols } from "../ffi/_symbols.ts";
import type { Launch } from "./_launch.ts";

/**
 * The error for a program that could not be started.
 *
 * `posix_spawn` gives a number and does not say what it is about, so the directory and the group are looked at again.
 */
export function startFailure(launch: Launch, errno: number): PosixError {
  return directoryFailure(launch) ?? groupFailure(launch, errno) ??
    programFailure(launch, "posix_spawnp", errno);
}

/** The error for a program that is not there, or not to be executed. */
export function programFailure(
  { file, cwd }: Launch,
  syscall: string,
  errno: number,
): PosixError {
  const path = file.startsWith("/") || cwd === undefined
    ? file
    : `${cwd}/${file}`;
  const lacksInterpreter = errno === ERRNO.ENOENT && file.includes("/") &&
    canReach(path);
  return new PosixError(`Cannot start ${JSON.stringify(file)}`, {
    errno,
    syscall,
    path: file,
    ...(lacksInterpreter
      ? { detail: "the file is there, but not the interpreter that it names" }
      : {}),
  });
}

function directoryFailure(
  { file, cwd }: Launch,
): PosixError | undefined {
  // The dot is looked up *in* the directory, which takes the same permission as going there.
  if (cwd === undefined || canReach(`${cwd}/.`)) return undefined;
  return lastError(
    "chdir",
    () =>
      `Cannot start ${JSON.stringify(file)} in directory ${
        JSON.stringify(cwd)
      }`,
    cwd,
  );
}

function groupFailure(
  { file, newSession, processGroup = 0 }: Launch,
  errno: number,
): PosixError | undefined {
  if (newSession || processGroup === 0 || errno !== ERRNO.EPERM) {
    return undefined;
  }
  // The leader's session alone does not tell: a process of this session may well lead no group.
  const { getpgid, getsid } = processSymbols();
  if (
    getpgid(processGroup) === processGroup &&
    getsid(processGroup) === getsid(0)
  ) return undefined;
  return new PosixError(
    `Cannot start ${JSON.stringify(file)} in process group ${processGroup}`,
    { errno, syscall: "setpgid" },
  );
}

function canReach(path: string): boolean {
  const libc = descriptorSymbols();
  const fd = libc.open(cString(path, "path"), O_PATH | O_CLOEXEC, 0);
  if (fd === -1) return false;
  libc.close(fd);
  return true;
}
