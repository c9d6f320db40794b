/** What only the tests need of libc. */
export const libc = Deno.dlopen("libc.so.6", {
  mkdtemp: { parameters: ["buffer"], result: "usize" },
  setresuid: { parameters: ["u32", "u32", "u32"], result: "i32" },
  prctl: { parameters: ["i32", "u64", "u64", "u64", "u64"], result: "i32" },
  rmdir: { parameters: ["buffer"], result: "i32" },
  getdents64: {
    parameters: ["i32", "buffer", "usize"],
    result: "i32",
  },
}).symbols;
