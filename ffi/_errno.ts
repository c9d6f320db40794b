import { openLibc } from "./_library.ts";

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
export function bindErrno(): void {
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
