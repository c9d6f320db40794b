import { assertEquals, assertThrows } from "@std/assert";
import { PosixError } from "../../ffi/errors.ts";
import { execl } from "../../exec/exec.ts";
import { withoutLeaks } from "../_helpers.ts";
import { capture } from "./_capture.ts";
import { setVariable } from "./_environment.ts";

Deno.test(
  "execl() becomes the program, with the arguments in a row and the process's environment",
  withoutLeaks(() => {
    const { pid, raw, output } = capture(() => {
      setVariable("MARK", "m");
      execl(
        "/bin/sh",
        "sh",
        "-c",
        "echo $$ $0 $1 $MARK; exit 3",
        "zero",
        "one",
      );
    });
    assertEquals([raw, output], [3 << 8, `${pid} zero one m\n`]);
  }),
);

Deno.test("execl() throws what is wrong with the program", () => {
  const error = assertThrows(
    () => execl("/nowhere", "x"),
    PosixError,
    `Cannot execute "/nowhere": execv failed with ENOENT`,
  );
  assertEquals([error.code, error.path], ["ENOENT", "/nowhere"]);
});

Deno.test("execl() refuses wrong arguments, naming them", () => {
  assertThrows(() => execl("/bin/false"), RangeError, "'args'");
  assertThrows(() => execl("/bin/\0", "x"), TypeError, "'path'");
  assertThrows(() => execl("/bin/false", "x", "\0"), TypeError, "'args[1]'");
  const env = {} as unknown as string;
  assertThrows(() => execl("/bin/false", "x", env), TypeError, "'args[1]'");
});
