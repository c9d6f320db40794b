/** What only the tests of exec need of libc; opened at import, outside any test. */
export const libc = Deno.dlopen("libc.so.6", {
  getenv: { parameters: ["buffer"], result: "pointer" },
  setenv: { parameters: ["buffer", "buffer", "i32"], result: "i32" },
  unsetenv: { parameters: ["buffer"], result: "i32" },
  geteuid: { parameters: [], result: "u32" },
  prctl: {
    parameters: ["i32", "u64", "buffer", "u64", "u64"],
    result: "i32",
  },
  symlink: { parameters: ["buffer", "buffer"], result: "i32" },
}).symbols;

/** Whether the tests run as root, who alone may become somebody else. */
export function isRoot(): boolean {
  return libc.geteuid() === 0;
}
