import { bindErrno } from "./_errno.ts";
import { openLibc } from "./_library.ts";

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
      bindErrno();
      const library = openLibc(symbols);
      bound = library.symbols;
      library.close();
    }
    return bound;
  };
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
