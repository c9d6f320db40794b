/** What only these tests need of libc. Opened at import: a library that opens in the middle of a test is a leak to its sanitizer. */
export const libc = Deno.dlopen("libc.so.6", {
  geteuid: { parameters: [], result: "u32" },
  setresuid: { parameters: ["u32", "u32", "u32"], result: "i32" },
  cfmakeraw: { parameters: ["buffer"], result: "void" },
  unshare: { parameters: ["i32"], result: "i32" },
  mount: {
    parameters: ["buffer", "buffer", "buffer", "u64", "buffer"],
    result: "i32",
  },
  setitimer: { parameters: ["i32", "buffer", "buffer"], result: "i32" },
  chmod: { parameters: ["buffer", "u32"], result: "i32" },
  ftruncate: { parameters: ["i32", "i64"], result: "i32" },
  socketpair: { parameters: ["i32", "i32", "i32", "buffer"], result: "i32" },
  ioctl_value: {
    name: "ioctl",
    parameters: ["i32", "u64", "usize"],
    result: "i32",
  },
}).symbols;

const dlsym = {
  dlsym: { parameters: ["usize", "buffer"], result: "usize" },
} as const;

/** The address of a function of libc; `dlsym` lives in a library of its own before glibc 2.34. */
export const addressOfFunction = (() => {
  try {
    return Deno.dlopen("libc.so.6", dlsym).symbols.dlsym;
  } catch {
    return Deno.dlopen("libdl.so.2", dlsym).symbols.dlsym;
  }
})();
