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

function openLibc<const S extends Deno.ForeignLibraryInterface>(
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

/**
 * Functions that open a group of symbols at the first call, and hand out the same group ever after.
 *
 * The handle is closed at once: the functions hold all that they need, libc itself is never unloaded, being part of Deno,
 * and a handle that stayed open would be a leak to the sanitizer of whatever test happened to make the first call.
 */
export function lazySymbols<const S extends Deno.ForeignLibraryInterface>(
  symbols: S,
): () => Deno.DynamicLibrary<S>["symbols"] {
  let bound: Deno.DynamicLibrary<S>["symbols"] | undefined;
  return () => {
    if (bound === undefined) {
      const library = openLibc(symbols);
      bound = library.symbols;
      library.close();
    }
    return bound;
  };
}

/**
 * A function that calls libc on a thread of Deno's pool, and so promises its result.
 *
 * Such a call is made through the open handle, so each opens one of its own (some 5 µs) and closes it once it is under way.
 */
export function poolCall<
  const S extends Deno.ForeignFunction & { nonblocking: true },
>(symbol: S): Deno.StaticForeignSymbol<S> {
  const call = (...parameters: unknown[]): unknown => {
    const library = openLibc({ symbol });
    try {
      return (library.symbols.symbol as typeof call)(...parameters);
    } finally {
      library.close();
    }
  };
  return call as Deno.StaticForeignSymbol<S>;
}
