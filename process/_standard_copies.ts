import { F_GETFD, F_GETSIG, F_SETSIG, FD_CLOEXEC } from "../ffi/constants.ts";
import { descriptorSymbols } from "../ffi/_symbols.ts";
import { listProc } from "./_fork/proc_file.ts";

/** Signals that serve as marks, one for each standard stream; nobody is ever sent them, as nobody asks for `O_ASYNC`. */
const MARKS = [61, 62, 63];

/**
 * The copies of the standard streams that Deno makes for itself when it starts, by the numbers of the originals.
 *
 * Deno.stdin reads its copy (up to 2.6), and programs that are started with `"inherit"` get those of 1 and 2, so a
 * redirection must reach them as well. Copies are found by a property of the open file description that has no effect
 * otherwise. Deno's are close-on-exec, and older than any that the program has made, so they have the lowest numbers.
 */
export function standardCopies(): ReadonlyMap<number, number> {
  const { fcntl } = descriptorSymbols();
  const originals = hasCopyOfStdin() ? [0, 1, 2] : [1, 2];
  const former = originals.map((fd) => fcntl(fd, F_GETSIG, 0));
  const candidates = listProc("/proc/self/fd").filter((fd) =>
    fd > 2 && (fcntl(fd, F_GETFD, 0) & FD_CLOEXEC) !== 0
  ).sort((a, b) => a - b);
  const copies = new Map<number, number>();
  for (const fd of originals) fcntl(fd, F_SETSIG, MARKS[fd]!);
  for (const original of originals) {
    // Where two are one open file, both have the mark of the later.
    const mark = fcntl(original, F_GETSIG, 0);
    const at = mark === -1
      ? -1
      : candidates.findIndex((fd) => fcntl(fd, F_GETSIG, 0) === mark);
    if (at !== -1) copies.set(original, candidates.splice(at, 1)[0]!);
  }
  originals.forEach((fd, index) => fcntl(fd, F_SETSIG, former[index]!));
  return copies;
}

function hasCopyOfStdin(): boolean {
  return /^2\.[0-6]\./.test(Deno.version.deno);
}
