import { ERRNO } from "../../ffi/errno.ts";
import { PosixError } from "../../ffi/posix_error.ts";

/**
 * In a child whose parent has watched files: has `Deno.watchFs` say why it cannot.
 *
 * Deno asks one thread for all that is watched, from the first time on. A child does not have it, and would wait for its
 * answer for ever.
 */
export function refuseFileWatching(): void {
  Deno.watchFs = () => {
    throw new PosixError("Cannot watch files", {
      errno: ERRNO.ENOTSUP,
      syscall: "inotify_add_watch",
      detail:
        "the process that this one was forked from had done so, and a fork does not copy the thread that it takes",
    });
  };
}
