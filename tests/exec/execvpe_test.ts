import { assertEquals, assertThrows } from "@std/assert";
import { PosixError } from "../../ffi/errors.ts";
import { type Environment, execvpe } from "../../exec/exec.ts";
import { withDirectory, withoutLeaks } from "../_helpers.ts";
import { capture, makeFile } from "./_capture.ts";
import { setVariable } from "./_environment.ts";

Deno.test(
  "execvpe() looks on the caller's PATH, not on the one it hands over",
  withoutLeaks(() =>
    withDirectory((directory) => {
      makeFile(`${directory}/tool`, "#!/bin/sh\nprintf mine\n");
      assertEquals(
        capture(() => {
          setVariable("PATH", directory);
          execvpe("tool", ["tool"], { PATH: "/nowhere" });
        }).output,
        "mine",
      );
      assertEquals(
        capture(() => {
          setVariable("PATH", "/nowhere");
          const error = assertThrows(
            () => execvpe("tool", ["tool"], { PATH: directory }),
            PosixError,
            `Cannot execute "tool": execvpe failed with ENOENT`,
          );
          assertEquals([error.syscall, error.path], ["execvpe", "tool"]);
        }).raw,
        98 << 8,
      );
    })
  ),
);

Deno.test(
  "execvpe() gives exactly the environment that it is given",
  withoutLeaks(() => {
    const { output } = capture(() =>
      execvpe("cat", ["cat", "/proc/self/environ"], { A: "1", B: "2" })
    );
    assertEquals(output, "A=1\0B=2\0");
  }),
);

Deno.test(
  "execvpe() has /bin/sh run a file that is no program",
  withoutLeaks(() =>
    withDirectory((directory) => {
      const script = makeFile(`${directory}/plain`, 'printf "$A $1"\n');
      assertEquals(
        capture(() => execvpe(script, ["plain", "arg"], { A: "var" })).output,
        "var arg",
      );
    })
  ),
);

Deno.test("execvpe() refuses wrong arguments, naming them", () => {
  assertThrows(() => execvpe("a\0b", ["x"], {}), TypeError, "'file'");
  assertThrows(() => execvpe("false", [], {}), RangeError, "'args'");
  assertThrows(() => execvpe("false", ["x"], { "": "" }), TypeError, "'env'");
  const none = undefined as unknown as Environment;
  assertThrows(() => execvpe("false", ["x"], none), TypeError, "'env'");
});
