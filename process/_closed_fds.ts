import { EPOLL_CTL_DEL, O_CLOEXEC, O_PATH } from "../ffi/constants.ts";
import { forkSymbols, procSymbols } from "../ffi/_symbols.ts";
import { close } from "../ipc/close.ts";
import { dup3 } from "../ipc/dup3.ts";
import { open } from "../ipc/open.ts";
import { listProc, readDescriptorLink } from "./_fork/proc_file.ts";

const EVENT_POLL = "anon_inode:[eventpoll]";
const EVENTFD = "anon_inode:[eventfd]";
const SQLITE_COMPANION = /-(wal|shm|journal)( \(deleted\))?$/;
const SQLITE_MAGIC = "SQLite format 3\0";

/**
 * The descriptors that a child is to have no part in.
 *
 * They are not closed but replaced by one that can be neither read nor written: any use of them gives `EBADF`, as if they
 * were closed, and their files are let go. Their numbers however stay taken. Objects that the child has inherited with the rest
 * of the memory (an open `Deno.FsFile`, a connection) still know them, and would otherwise read, write or close whatever is
 * opened under the same number next.
 *
 * Left alone is what the runtime lives on: its event polls and eventfds, its copies of the standard streams, SQLite's
 * files (Deno's caches; a database is not to be closed behind the back of its connection), and what the fork itself has
 * made anew in the child.
 */
export class ClosedFds {
  readonly #links = new Map<number, string>();
  readonly #epolls: number[] = [];

  /** Looks for them in the parent. */
  constructor(kept: readonly number[]) {
    const spared = new Set([0, 1, 2, ...kept]);
    for (const fd of listProc("/proc/self/fd")) {
      const link = readDescriptorLink(fd);
      if (link === EVENT_POLL) this.#epolls.push(fd);
      else if (link !== EVENTFD && !spared.has(fd) && !isOfSqlite(fd, link)) {
        this.#links.set(fd, link);
      }
    }
  }

  /** Lets go of them in the child. */
  letGo(): void {
    const nothing = open("/", O_PATH);
    for (const [fd, link] of this.#links) {
      // What is something else by now is the child's own.
      if (fd === nothing || readDescriptorLink(fd) !== link) continue;
      for (const epoll of this.#epolls) {
        // The file lives on in the parent, and an event loop that watched it would go on doing so.
        forkSymbols().epoll_ctl(epoll, EPOLL_CTL_DEL, fd, null);
      }
      dup3(nothing, fd, O_CLOEXEC);
    }
    close(nothing);
  }
}

function isOfSqlite(fd: number, link: string): boolean {
  if (SQLITE_COMPANION.test(link)) return true;
  const start = new Uint8Array(SQLITE_MAGIC.length);
  procSymbols().pread(fd, start, BigInt(start.length), 0n);
  return new TextDecoder().decode(start) === SQLITE_MAGIC;
}
