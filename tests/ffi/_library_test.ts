import { assert, assertEquals, assertMatch } from "@std/assert";
import { readText, withoutLeaks } from "../_helpers.ts";
import { runDeno } from "./_programs.ts";

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
  "the library opens nothing when it is imported, and each group once",
  withoutLeaks(() => {
    assertEquals(printed("_lazy_program.ts", "--allow-ffi"), {
      atImport: 0,
      // The group, and errno, which is made ready before anything can fail.
      atFirstCall: 2,
      atSecondCall: 0,
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
