import { assertEquals, assertThrows } from "@std/assert";
import { PosixError } from "../../ffi/errors.ts";
import { execle } from "../../exec/exec.ts";
import { withoutLeaks } from "../_helpers.ts";
import { capture } from "./_capture.ts";

Deno.test(
  "execle() becomes the program, with the arguments in a row and exactly the environment after them",
  withoutLeaks(() => {
    const { raw, output } = capture(() =>
      execle("/bin/cat", "name", "/proc/self/cmdline", "/proc/self/environ", {
        A: "1",
      })
    );
    assertEquals(
      [raw, output],
      [0, "name\0/proc/self/cmdline\0/proc/self/environ\0A=1\0"],
    );
  }),
);

Deno.test("execle() throws what is wrong with the program", () => {
  const error = assertThrows(
    () => execle("/nowhere", "x", {}),
    PosixError,
    `Cannot execute "/nowhere": execve failed with ENOENT`,
  );
  assertEquals([error.code, error.path], ["ENOENT", "/nowhere"]);
});

Deno.test("execle() refuses wrong arguments, naming them", () => {
  assertThrows(() => execle("/bin/false", {}), RangeError, "'args'");
  assertThrows(() => execle("/bin/\0", "x", {}), TypeError, "'path'");
  assertThrows(() => execle("/bin/false", "\0", {}), TypeError, "'args[0]'");
  assertThrows(() => execle("/bin/false", "x", { "": "" }), TypeError, "'env'");
  const noEnv = "y" as unknown as Record<string, string>;
  assertThrows(() => execle("/bin/false", "x", noEnv), TypeError, "'env'");
});
