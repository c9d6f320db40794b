import { assertEquals, assertThrows } from "@std/assert";
import { PosixError } from "../../ffi/errors.ts";
import { execlp } from "../../exec/exec.ts";
import { withoutLeaks } from "../_helpers.ts";
import { capture } from "./_capture.ts";
import { setVariable } from "./_environment.ts";

Deno.test(
  "execlp() becomes the program, with the arguments in a row and the process's environment",
  withoutLeaks(() => {
    const { pid, raw, output } = capture(() => {
      setVariable("MARK", "m");
      execlp("sh", "sh", "-c", "echo $$ $0 $1 $MARK; exit 3", "zero", "one");
    });
    assertEquals([raw, output], [3 << 8, `${pid} zero one m\n`]);
  }),
);

Deno.test("execlp() throws what is wrong with the program", () => {
  const error = assertThrows(
    () => execlp("/nowhere", "x"),
    PosixError,
    `Cannot execute "/nowhere": execvp failed with ENOENT`,
  );
  assertEquals([error.code, error.path], ["ENOENT", "/nowhere"]);
});

Deno.test("execlp() refuses wrong arguments, naming them", () => {
  assertThrows(() => execlp("/bin/false"), RangeError, "'args'");
  assertThrows(() => execlp("/bin/\0", "x"), TypeError, "'file'");
  assertThrows(() => execlp("/bin/false", "x", "\0"), TypeError, "'args[1]'");
  const env = {} as unknown as string;
  assertThrows(() => execlp("/bin/false", "x", env), TypeError, "'args[1]'");
});
