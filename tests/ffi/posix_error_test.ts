import { assert, assertEquals } from "@std/assert";
import { PosixError } from "../../ffi/errors.ts";

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
