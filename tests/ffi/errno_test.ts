import { assert, assertEquals } from "@std/assert";
import { ERRNO, errnoName, strerror } from "../../ffi/errors.ts";
import { withoutLeaks } from "../_helpers.ts";
import * as c from "./_c.ts";
import { evaluate, targets } from "./_compiler.ts";

const ALIASES = ["EWOULDBLOCK", "EDEADLOCK", "EOPNOTSUPP"];

/** Beyond the last number that Linux defines, and beyond what fits a C `int`. */
const ODD_NUMBERS = [-1, 0, 41, 58, 134, 4095, 4096, 2 ** 31, -(2 ** 31)];

for (const { arch, compiler, note } of targets) {
  Deno.test({
    name: `ERRNO has the numbers of C's headers on ${note}`,
    ignore: compiler === null,
    fn: withoutLeaks(async () => {
      const names = Object.keys(ERRNO);
      const numbers = await evaluate(compiler!, ["errno.h"], names);
      assertEquals(Object.values(ERRNO), numbers, arch);
    }),
  });
}

Deno.test({
  name: c.strerrorname === null
    ? "errnoName() gives the names of libc (skipped: this glibc has no strerrorname_np)"
    : "errnoName() gives the names of libc",
  ignore: c.strerrorname === null,
  fn: () => {
    for (let errno = 1; errno < 4096; errno++) {
      const name = c.strerrorname!(errno) ?? "UNKNOWN";
      // Two names, one number: libc prefers the name for sockets, the library the one that fits everything.
      const expected = name === "EOPNOTSUPP" ? "ENOTSUP" : name;
      assertEquals(errnoName(errno), expected, String(errno));
    }
  },
});

Deno.test("strerror() gives the descriptions of libc", () => {
  for (let errno = 1; errno < 4096; errno++) {
    assertEquals(strerror(errno), c.strerror(errno), String(errno));
  }
});

Deno.test("ERRNO has every number that errnoName() names, and no other", () => {
  const named = Array.from({ length: 4096 }, (_, errno) => errno)
    .filter((errno) => errnoName(errno) !== "UNKNOWN");
  const numbers = new Set(Object.values(ERRNO));
  assertEquals([...numbers].toSorted((a, b) => a - b), named);
  for (const [name, number] of Object.entries(ERRNO)) {
    assertEquals(ALIASES.includes(name), errnoName(number) !== name, name);
  }
});

Deno.test("errnoName() and strerror() answer for any number", () => {
  for (const errno of [...ODD_NUMBERS, 1.5, NaN, Infinity, -Infinity]) {
    assertEquals(errnoName(errno), "UNKNOWN");
    assertEquals(strerror(errno), `Unknown error ${errno}`);
  }
});

Deno.test("ERRNO cannot be changed", () => {
  assert(Object.isFrozen(ERRNO));
});
