import { ERRNO, PosixError } from "./errors.ts";

/** The two machine architectures whose layouts and constants the library knows. */
export type Architecture = "x86_64" | "aarch64";

/** The architecture of the running Deno; layouts and constants are chosen by it. */
export const ARCHITECTURE: Architecture = Deno.build.arch;

/** Why libc cannot be bound on this system, or `null` where it can. */
export function unsupportedReason(
  build: { os: string; arch: string; target: string } = Deno.build,
): string | null {
  const { os, arch, target } = build;
  const known = os === "linux" && target.endsWith("-gnu") &&
    (arch === "x86_64" || arch === "aarch64");
  return known
    ? null
    : `this library needs Linux with glibc on x86_64 or aarch64: current target is ${target}`;
}

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

function bind() {
  const library = openLibc({
    // int *__errno_location(void);
    __errno_location: { parameters: [], result: "usize" },
    // void *memcpy(void *dest, const void *src, size_t n);
    memcpy: { parameters: ["buffer", "usize", "usize"], result: "usize" },
  });
  library.close();
  const location = library.symbols.__errno_location();
  return { location, memcpy: library.symbols.memcpy };
}

let bound: ReturnType<typeof bind> | undefined;
const copy = new Int32Array(1);

/** Makes ready to read errno. Before the first call that may fail: binding symbols maps memory, and so may set errno itself. */
function bindErrno(): void {
  bound ??= bind();
}

/** Where the calling thread has its `errno`: for calls that are not made from JavaScript. */
export function errnoAddress(): bigint {
  bound ??= bind();
  return bound.location;
}

/**
 * The calling thread's `errno`.
 *
 * Read it right after the call that failed, before anything else runs. After a `nonblocking` call it says nothing: that
 * ran on another thread. It is fetched with `memcpy`, since Deno's own views of foreign memory need a permission for
 * all of FFI, while everything else here is content with one for libc alone.
 */
export function readErrno(): number {
  bound ??= bind();
  bound.memcpy(copy, bound.location, 4n);
  return copy[0]!;
}

/** What gives back what others of its group have taken. */
const RELEASING: readonly string[] = ["close", "munmap", "free"];

/**
 * Functions that hand out a group of symbols, the same one ever after, of which each function is bound when it is first asked for:
 * that takes 0.1 ms. With the first of a group comes what releases: a permission that is revoked later leaves nothing behind.
 *
 * The handle is closed at once: the functions hold all that they need, libc itself is never unloaded, being part of Deno,
 * and a handle that stayed open would be a leak to the sanitizer of whatever test happened to make the first call.
 */
export function lazySymbols<const S extends Deno.ForeignLibraryInterface>(
  symbols: S,
): () => Deno.DynamicLibrary<S>["symbols"] {
  let group: SymbolGroup | undefined;
  return () => {
    if (group === undefined) {
      bindErrno();
      group = new SymbolGroup(symbols);
      groups.push(group);
    }
    return group.symbols as Deno.DynamicLibrary<S>["symbols"];
  };
}

/** Those in use of which not all may be bound. */
const groups: SymbolGroup[] = [];

/** Binds the rest of all groups in use, for those who have no time to do so later. */
export function bindRest(): void {
  while (groups.length > 0) groups.pop()!.bindRest();
}

/** A group of symbols: those that are bound are its own properties, and the others are found on the way to those. */
class SymbolGroup {
  readonly symbols: Record<string, unknown>;
  readonly #unbound: Record<string, Deno.ForeignFunction | Deno.ForeignStatic>;

  constructor(symbols: Deno.ForeignLibraryInterface) {
    this.#unbound = { ...symbols };
    const getters: PropertyDescriptorMap = {};
    const data: string[] = [];
    for (const [name, symbol] of Object.entries(symbols)) {
      if ("type" in symbol) data.push(name);
      else getters[name] = { get: () => this.#bindFunction(name) };
    }
    this.symbols = Object.create(Object.create(null, getters));
    if (data.length > 0) this.#bind(data);
  }

  bindRest(): void {
    const names = Object.keys(this.#unbound);
    if (names.length > 0) this.#bind(names);
  }

  #bindFunction(name: string): unknown {
    const isNew = (other: string) =>
      other !== name && Object.hasOwn(this.#unbound, other);
    this.#bind([name, ...RELEASING.filter(isNew)]);
    return this.symbols[name];
  }

  #bind(names: readonly string[]): void {
    const wanted = Object.fromEntries(
      names.map((name) => [name, this.#unbound[name]!]),
    );
    const library = openLibc(wanted);
    library.close();
    for (const name of names) {
      Object.defineProperty(this.symbols, name, {
        value: library.symbols[name],
        enumerable: true,
      });
      delete this.#unbound[name];
    }
  }
}

/** What is done before a call is given to Deno's pool: whoever keeps its threads busy lets them go. */
export const beforePoolCall: { run(): void } = { run() {} };

/**
 * A function that calls libc on a thread of Deno's pool, and so promises its result.
 *
 * Such a call is made through the open handle, so each opens one of its own (some 5 µs) and closes it once it is under way.
 */
export function poolCall<
  const S extends Deno.ForeignFunction & { nonblocking: true },
>(
  symbol: S,
  before: { run(): void } = beforePoolCall,
): Deno.StaticForeignSymbol<S> {
  const call = (...parameters: unknown[]): unknown => {
    before.run();
    const library = openLibc({ symbol });
    try {
      return (library.symbols.symbol as typeof call)(...parameters);
    } finally {
      library.close();
    }
  };
  return call as Deno.StaticForeignSymbol<S>;
}

/**
 * The decoders of libc's return conventions, one each, so that no call site tests for -1 by hand.
 *
 * All take the call's name, and what was being done as a function, since it is put into words only when it failed.
 */
export type Action = () => string;

/** The error for the calling thread's errno; call it before anything else can change that. */
export function lastError(
  syscall: string,
  action: Action,
  path?: string,
): PosixError {
  return errorFor(readErrno(), syscall, action, path);
}

/** The error for a number that the call gave back. */
export function errorFor(
  errno: number,
  syscall: string,
  action: Action,
  path?: string,
): PosixError {
  return new PosixError(action(), {
    errno,
    syscall,
    ...(path === undefined ? {} : { path }),
  });
}

/** For a call that gives 0, or -1 and errno. */
export function checkZero(
  result: number,
  syscall: string,
  action: Action,
  path?: string,
): void {
  if (result === -1) throw lastError(syscall, action, path);
}

/** For a call that gives a pid, a descriptor or a count, or -1 and errno. */
export function checkValue(
  result: number,
  syscall: string,
  action: Action,
  path?: string,
): number {
  if (result === -1) throw lastError(syscall, action, path);
  return result;
}

/** For a blocking call of the same convention: made again whenever a signal interrupts it. */
export function retryInterrupted(
  call: () => number,
  syscall: string,
  action: Action,
  path?: string,
): number {
  for (;;) {
    const result = call();
    if (result !== -1) return result;
    const errno = readErrno();
    if (errno !== ERRNO.EINTR) throw errorFor(errno, syscall, action, path);
  }
}

/** For a call that gives 0, or the error number itself (`pthread_sigmask`): errno has no part in it. */
export function checkErrorNumber(
  result: number,
  syscall: string,
  action: Action,
  path?: string,
): void {
  if (result !== 0) throw errorFor(result, syscall, action, path);
}
