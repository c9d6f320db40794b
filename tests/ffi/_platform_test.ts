import { assert, assertEquals, assertMatch } from "@std/assert";
import { ARCHITECTURE, unsupportedReason } from "../../ffi/_libc.ts";

Deno.test("unsupportedReason() has none against Linux with glibc on the two architectures", () => {
  for (const arch of ["x86_64", "aarch64"]) {
    const target = `${arch}-unknown-linux-gnu`;
    assertEquals(unsupportedReason({ os: "linux", arch, target }), null);
  }
});

Deno.test("unsupportedReason() names every other target", () => {
  for (
    const [os, arch, target] of [
      ["darwin", "aarch64", "aarch64-apple-darwin"],
      ["darwin", "x86_64", "x86_64-apple-darwin"],
      ["windows", "x86_64", "x86_64-pc-windows-msvc"],
      ["windows", "x86_64", "x86_64-pc-windows-gnu"],
      ["freebsd", "x86_64", "x86_64-unknown-freebsd"],
      ["android", "aarch64", "aarch64-linux-android"],
      ["linux", "x86_64", "x86_64-unknown-linux-musl"],
      ["linux", "riscv64", "riscv64gc-unknown-linux-gnu"],
    ] as const
  ) {
    const reason = unsupportedReason({ os, arch, target });
    assert(reason !== null, target);
    assert(reason.endsWith(`: current target is ${target}`), reason);
  }
});

Deno.test("unsupportedReason() looks at the running Deno unless told otherwise", () => {
  assertEquals(unsupportedReason(), null);
  assertMatch(ARCHITECTURE, /^(x86_64|aarch64)$/);
});
