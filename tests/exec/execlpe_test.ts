import { assertEquals, assertThrows } from "@std/assert";
import { PosixError } from "../../ffi/errors.ts";
import { execlpe } from "../../exec/exec.ts";
import { withoutLeaks } from "../_helpers.ts";
import { capture } from "./_capture.ts";

Deno.test(
  "execlpe() becomes the program, with the arguments in a row and exactly the environment after them",
  withoutLeaks(() => {
    const { raw, output } = capture(() =>
      execlpe("cat", "name", "/proc/self/cmdline", "/proc/self/environ", {
        A: "1",
      })
    );
    assertEquals(
      [raw, output],
      [0, "name\0/proc/self/cmdline\0/proc/self/environ\0A=1\0"],
    );
  }),
);

Deno.test("execlpe() throws what is wrong with the program", () => {
  const error = assertThrows(
    () => execlpe("/nowhere", "x", {}),
    PosixError,
    `Cannot execute "/nowhere": execvpe failed with ENOENT`,
  );
  assertEquals([error.code, error.path], ["ENOENT", "/nowhere"]);
});

Deno.test("execlpe() refuses wrong arguments, naming them", () => {
  assertThrows(() => execlpe("/bin/false", {}), RangeError, "'args'");
  assertThrows(() => execlpe("/bin/\0", "x", {}), TypeError, "'file'");
  assertThrows(() => execlpe("/bin/false", "\0", {}), TypeError, "'args[0]'");
  assertThrows(
    () => execlpe("/bin/false", "x", { "": "" }),
    TypeError,
    "'env'",
  );
  const noEnv = "y" as unknown as Record<string, string>;
  assertThrows(() => execlpe("/bin/false", "x", noEnv), TypeError, "'env'");
});
