import { ERRNO } from "./errno.ts";
import { unsupportedReason } from "./_platform.ts";
import { PosixError } from "./posix_error.ts";

/** Where distributions put glibc, most common first. */
const LIBC_PATHS: Readonly<Record<string, readonly string[]>> = {
  x86_64: [
    "/lib/x86_64-linux-gnu/libc.so.6",
    "/usr/lib/x86_64-linux-gnu/libc.so.6",
    "/lib64/libc.so.6",
    "/usr/lib64/libc.so.6",
    "/usr/lib/libc.so.6",
    "/lib/libc.so.6",
  ],
  aarch64: [
    "/lib/aarch64-linux-gnu/libc.so.6",
    "/usr/lib/aarch64-linux-gnu/libc.so.6",
    "/lib64/libc.so.6",
    "/usr/lib64/libc.so.6",
    "/usr/lib/libc.so.6",
    "/lib/libc.so.6",
  ],
};

/**
 * The names under which to try libc, in order.
 *
 * With a full `--allow-ffi` the loader's own search is the most portable. Otherwise the permission names a path, and
 * only that very path may be opened; where none is granted yet, opening one makes Deno ask for it.
 */
function candidates(): readonly string[] {
  if (Deno.permissions.querySync({ name: "ffi" }).state === "granted") {
    return ["libc.so.6"];
  }
  const paths = LIBC_PATHS[Deno.build.arch] ?? [];
  const granted = paths.filter((path) =>
    Deno.permissions.querySync({ name: "ffi", path }).state === "granted"
  );
  return granted.length > 0 ? granted : paths;
}

let libcPath: string | undefined;

/** Binds symbols of libc, under the path for which there is permission. */
export function openLibc<const S extends Deno.ForeignLibraryInterface>(
  symbols: S,
): Deno.DynamicLibrary<S> {
  const reason = unsupportedReason();
  if (reason !== null) {
    throw new PosixError("Cannot open libc", {
      errno: ERRNO.ENOSYS,
      syscall: "dlopen",
      detail: reason,
    });
  }
  if (libcPath !== undefined) return Deno.dlopen(libcPath, symbols);
  let failure: unknown;
  for (const path of candidates()) {
    try {
      const library = Deno.dlopen(path, symbols);
      libcPath = path;
      return library;
    } catch (error) {
      // A refused permission is the user's answer; only a file that is not there lets the next path have its turn.
      if (!isMissingFile(error)) throw error;
      failure = error;
    }
  }
  throw new PosixError("Cannot open libc", {
    errno: ERRNO.ENOENT,
    syscall: "dlopen",
    detail: "glibc is in none of the usual places",
    cause: failure,
  });
}

function isMissingFile(error: unknown): boolean {
  return error instanceof Error &&
    error.message.includes("cannot open shared object file");
}
