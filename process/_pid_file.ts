import {
  AT_EMPTY_PATH,
  AT_FDCWD,
  O_CLOEXEC,
  O_CREAT,
  O_RDWR,
  O_TRUNC,
  STATX_INO,
} from "../ffi/constants.ts";
import { LOCK_EX, LOCK_NB } from "../ffi/descriptor_constants.ts";
import { cString } from "../ffi/_c_strings.ts";
import { ERRNO } from "../ffi/errno.ts";
import { STATX } from "../ffi/layouts.ts";
import { PosixError } from "../ffi/posix_error.ts";
import { accountingSymbols } from "../ffi/_symbols.ts";
import { close } from "../ipc/close.ts";
import { flock } from "../ipc/flock.ts";
import { open } from "../ipc/open.ts";
import { readAll } from "../ipc/read_all.ts";
import { unlink } from "../ipc/unlink.ts";
import { writeAll } from "../ipc/write_all.ts";
import { readDescriptorLink } from "./_fork/proc_file.ts";

const MODE = 0o644;

/** How often to open it anew where one who leaves has just removed it. */
const ATTEMPTS = 100;

/**
 * A file with the pid of the one process that may have it: locked as long as that lives, whatever the file says.
 *
 * The lock goes over to forked children, and ends with the last of the processes that have it. So a file that a killed process has
 * left behind is no obstacle, and who finds it locked knows that its owner is alive.
 */
export class PidFile {
  /** Its descriptor, which holds the lock. */
  readonly fd: number;
  /** Absolute, since the working directory is about to change. */
  readonly #path: string;

  /** Opens and locks it; it still says what it said before. */
  constructor(path: string) {
    this.fd = openLocked(path);
    this.#path = readDescriptorLink(this.fd);
  }

  /** Puts a pid into it. */
  write(pid: number): void {
    const fd = open(this.#path, O_RDWR | O_TRUNC | O_CLOEXEC);
    try {
      writeAll(fd, `${pid}\n`);
    } finally {
      close(fd);
    }
  }

  /** Removes it, if it is still there. The lock has to be held: another's must not be removed. */
  remove(): void {
    if (isAt(this.#path, this.fd)) unlink(this.#path);
  }

  /** Lets go of it. */
  close(): void {
    close(this.fd);
  }
}

function openLocked(path: string): number {
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    const fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, MODE);
    try {
      flock(fd, LOCK_EX | LOCK_NB);
      // Its former owner may have removed it between the two calls, and then the lock is one of a file without a name.
      if (isAt(path, fd)) return fd;
    } catch (error) {
      const text = new TextDecoder().decode(readAll(fd)).trim();
      close(fd);
      throw isHeld(error) ? runsAlready(path, text) : error;
    }
    close(fd);
  }
  throw runsAlready(path, "");
}

function isHeld(error: unknown): boolean {
  return error instanceof PosixError && error.errno === ERRNO.EAGAIN;
}

function runsAlready(path: string, pid: string): PosixError {
  const whose = /^\d+$/.test(pid) ? `process ${pid}` : "another process";
  return new PosixError(`Cannot lock pid file ${JSON.stringify(path)}`, {
    errno: ERRNO.EAGAIN,
    syscall: "flock",
    path,
    detail: `${whose} has it, and so the daemon is running already`,
  });
}

/** Whether a path still leads to an open file. */
function isAt(path: string, fd: number): boolean {
  const inode = inodeOf(AT_FDCWD, path, 0);
  return inode !== -1n && inode === inodeOf(fd, "", AT_EMPTY_PATH);
}

function inodeOf(fd: number, path: string, flags: number): bigint {
  const statx = new DataView(new ArrayBuffer(STATX.size));
  const result = accountingSymbols()
    .statx(fd, cString(path, "path"), flags, STATX_INO, statx);
  return result === 0 ? statx.getBigUint64(STATX.fields.stx_ino, true) : -1n;
}
