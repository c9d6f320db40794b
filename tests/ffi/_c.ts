/** What libc itself says of its errors and signals; strings are copied out, since a view of them would need more of FFI. */
const libc = Deno.dlopen("libc.so.6", {
  // int __xpg_strerror_r(int errnum, char *buf, size_t buflen); the POSIX form of strerror_r
  __xpg_strerror_r: { parameters: ["i32", "buffer", "usize"], result: "i32" },
  // const char *strerrorname_np(int errnum); since glibc 2.32
  strerrorname_np: { parameters: ["i32"], result: "usize", optional: true },
  // char *strncpy(char *dest, const char *src, size_t n);
  strncpy: { parameters: ["buffer", "usize", "usize"], result: "usize" },
  // int *__errno_location(void);
  __errno_location: { parameters: [], result: "usize" },
  // void *memcpy(void *dest, const void *src, size_t n);
  memcpy: { parameters: ["usize", "buffer", "usize"], result: "usize" },
  // int __libc_current_sigrtmin(void), __libc_current_sigrtmax(void); behind the macros SIGRTMIN and SIGRTMAX
  __libc_current_sigrtmin: { parameters: [], result: "i32" },
  __libc_current_sigrtmax: { parameters: [], result: "i32" },
}).symbols;

/** `strerror` of C. */
export function strerror(errno: number): string {
  const buffer = new Uint8Array(256);
  libc.__xpg_strerror_r(errno, buffer, 256n);
  return text(buffer);
}

/** `strerrorname_np` of C, which gives `null` for a number without a name; itself `null` where glibc is too old to have it. */
export const strerrorname = libc.strerrorname_np === null
  ? null
  : (errno: number): string | null => {
    const address = libc.strerrorname_np!(errno);
    if (address === 0n) return null;
    const buffer = new Uint8Array(256);
    libc.strncpy(buffer, address, 255n);
    return text(buffer);
  };

/** `SIGRTMIN` and `SIGRTMAX` of C, which are no constants there. */
export function realTimeSignals(): [min: number, max: number] {
  return [libc.__libc_current_sigrtmin(), libc.__libc_current_sigrtmax()];
}

/** Sets the calling thread's `errno`, as a failing call does. */
export function setErrno(errno: number): void {
  libc.memcpy(libc.__errno_location(), Int32Array.of(errno), 4n);
}

function text(buffer: Uint8Array): string {
  return new TextDecoder().decode(buffer.subarray(0, buffer.indexOf(0)));
}
