import { ERRNO, errnoName, PosixError, strerror } from "../../ffi/errors.ts";
import { withoutLeaks } from "../_helpers.ts";
import * as c from "./_c.ts";
import { evaluate, targets } from "./_compiler.ts";
import { assert, assertEquals } from "@std/assert";

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

Deno.test("PosixError is an Error that says what was being done, what failed and why", () => {
  const error = new PosixError(`Cannot create FIFO "/tmp/x"`, {
    errno: 17,
    syscall: "mkfifo",
    path: "/tmp/x",
  });
  assert(error instanceof Error);
  assertEquals(error.name, "PosixError");
  assertEquals(
    error.message,
    `Cannot create FIFO "/tmp/x": mkfifo failed with EEXIST (File exists)`,
  );
  assertEquals(
    { ...error },
    {
      name: "PosixError",
      code: "EEXIST",
      errno: 17,
      syscall: "mkfifo",
      path: "/tmp/x",
    } as Partial<PosixError>,
  );
  assertEquals(
    String(error),
    `PosixError: ${error.message}`,
  );
});

Deno.test("PosixError has neither path nor cause where none is given", () => {
  const error = new PosixError("Cannot wait", { errno: 10, syscall: "wait4" });
  assertEquals("path" in error, false);
  assertEquals("cause" in error, false);
});

Deno.test("PosixError puts the detail after the system's own words", () => {
  const error = new PosixError("Cannot fork", {
    errno: 16,
    syscall: "fork",
    detail: "thread 7 does not come to rest",
  });
  assertEquals(
    error.message,
    "Cannot fork: fork failed with EBUSY (Device or resource busy): thread 7 does not come to rest",
  );
});

Deno.test("PosixError carries the cause", () => {
  const cause = new Error("first");
  const error = new PosixError("Cannot open libc", {
    errno: 2,
    syscall: "dlopen",
    cause,
  });
  assertEquals(error.cause, cause);
});

Deno.test("PosixError takes a number that Linux does not define", () => {
  for (const errno of [0, -1, 41, 4095, NaN]) {
    const error = new PosixError("Cannot do it", { errno, syscall: "call" });
    assertEquals([error.code, error.errno], ["UNKNOWN", errno]);
    assertEquals(
      error.message,
      `Cannot do it: call failed with UNKNOWN (Unknown error ${errno})`,
    );
  }
});

Deno.test("PosixError has a stack that begins where it was made", () => {
  function culprit(): PosixError {
    return new PosixError("Cannot kill 1", { errno: 1, syscall: "kill" });
  }
  const [first, second] = culprit().stack!.split("\n");
  assert(first!.startsWith("PosixError: Cannot kill 1: kill failed"), first);
  assert(second!.includes("culprit"), second);
});
