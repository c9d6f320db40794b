import {
  ARCHITECTURE,
  checkErrorNumber,
  checkValue,
  checkZero,
  errorFor,
  lastError,
  readErrno,
  retryInterrupted,
  unsupportedReason,
} from "../../ffi/_libc.ts";
import { ERRNO, PosixError } from "../../ffi/errors.ts";
import { readText, withoutLeaks } from "../_helpers.ts";
import { setErrno } from "./_c.ts";
import { runDeno } from "./_programs.ts";
import {
  assert,
  assertEquals,
  assertMatch,
  assertStrictEquals,
  assertThrows,
} from "@std/assert";

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

/** Runs a program of this directory, and gives what it printed. */
function printed(program: string, ...permissions: string[]): unknown {
  const { stdout, status } = runDeno(program, [], permissions);
  assertEquals(status, 0, program);
  return JSON.parse(stdout);
}

/** Where libc lies that this Deno runs on. */
function libcPath(): string {
  const path = /\/\S+\/libc\.so\.6$/m.exec(readText("/proc/self/maps"))?.[0];
  assert(path !== undefined, "no libc.so.6 in /proc/self/maps");
  return path;
}

const DONE = { pid: true, missing: "PosixError ENOENT", child: "true exited" };

Deno.test(
  "the library works with a permission for all of FFI",
  withoutLeaks(() => {
    assertEquals(printed("_permissions_program.ts", "--allow-ffi"), DONE);
  }),
);

Deno.test(
  "the library works with a permission for libc's absolute path alone",
  withoutLeaks(() => {
    const permission = `--allow-ffi=${libcPath()}`;
    assertEquals(printed("_permissions_program.ts", permission), DONE);
  }),
);

Deno.test(
  "the library without a permission can be imported, and its calls give Deno's own error",
  withoutLeaks(() => {
    const results = printed("_permissions_program.ts");
    for (const result of Object.values(results as Record<string, string>)) {
      assertMatch(result, /^NotCapable: Requires ffi access to "\/.*libc/);
    }
  }),
);

Deno.test(
  "the library opens nothing when it is imported, binds each function once, and what closes together with what opens",
  withoutLeaks(() => {
    assertEquals(printed("_lazy_program.ts", "--allow-ffi"), {
      atImport: 0,
      // The function, and errno, which is made ready before anything can fail.
      atFirstCall: 2,
      atSecondCall: 0,
      atAnother: 1,
      refused: "NotCapable",
    });
  }),
);

Deno.test(
  "the library can be imported on another system, where each call throws ENOSYS with the reason",
  withoutLeaks(() => {
    const failures = printed("_other_platform_program.ts", "--allow-ffi");
    assert(Array.isArray(failures) && failures.length === 10);
    for (const failure of failures) {
      assertEquals(failure, {
        code: "ENOSYS",
        syscall: "dlopen",
        message:
          "Cannot open libc: dlopen failed with ENOSYS (Function not implemented): " +
          "this library needs Linux with glibc on x86_64 or aarch64: current target is aarch64-apple-darwin",
      });
    }
  }),
);

const MESSAGE = "Cannot jump: jump failed with EACCES (Permission denied)";

/** What a call does that fails: sets errno and gives -1. */
function failWith(errno: number): number {
  setErrno(errno);
  return -1;
}

/** Fails the test if it is asked for. */
function unasked(): string {
  throw new Error("put into words without need");
}

Deno.test("readErrno() reads the number that the last call left, time after time", () => {
  for (let errno = 1; errno < 2000; errno++) {
    setErrno(errno);
    assertEquals(readErrno(), errno);
  }
});

Deno.test("lastError() and errorFor() make the error with what is known of it", () => {
  setErrno(ERRNO.EACCES);
  const last = lastError("jump", () => "Cannot jump");
  const given = errorFor(ERRNO.EACCES, "jump", () => "Cannot jump", "/tmp");
  assertEquals([last.message, given.message], [MESSAGE, MESSAGE]);
  assertEquals([last.errno, last.syscall, last.path], [13, "jump", undefined]);
  assertEquals(given.path, "/tmp");
});

Deno.test("checkZero() takes -1 for a failure and nothing else", () => {
  for (const result of [0, 1, -2]) checkZero(result, "jump", unasked);
  assertThrows(
    () => checkZero(failWith(ERRNO.EACCES), "jump", () => "Cannot jump"),
    PosixError,
    MESSAGE,
  );
});

Deno.test("checkValue() gives back the value, or throws for -1", () => {
  for (const result of [0, 7, 2 ** 31 - 1]) {
    assertEquals(checkValue(result, "jump", unasked), result);
  }
  assertThrows(
    () => checkValue(failWith(ERRNO.EACCES), "jump", () => "Cannot jump"),
    PosixError,
    MESSAGE,
  );
});

Deno.test("checkErrorNumber() takes the result itself for the error, whatever errno says", () => {
  setErrno(ERRNO.EPERM);
  checkErrorNumber(0, "jump", unasked);
  assertThrows(
    () => checkErrorNumber(ERRNO.EACCES, "jump", () => "Cannot jump"),
    PosixError,
    MESSAGE,
  );
});

Deno.test("retryInterrupted() makes the call again after EINTR, and after EINTR alone", () => {
  let calls = 0;
  const value = retryInterrupted(
    () => ++calls < 5 ? failWith(ERRNO.EINTR) : 42,
    "jump",
    unasked,
  );
  assertEquals([value, calls], [42, 5]);
  calls = 0;
  assertThrows(
    () =>
      retryInterrupted(
        () => failWith(++calls === 1 ? ERRNO.EINTR : ERRNO.EACCES),
        "jump",
        () => "Cannot jump",
      ),
    PosixError,
    MESSAGE,
  );
  assertEquals(calls, 2);
});

Deno.test("retryInterrupted() lets through what the call throws", () => {
  const error = new Error("not from C");
  const thrown = assertThrows(() =>
    retryInterrupted(
      () => {
        throw error;
      },
      "jump",
      unasked,
    )
  );
  assertStrictEquals(thrown, error);
});
