import { assertEquals, assertThrows } from "@std/assert";
import { PosixError } from "../../ffi/errors.ts";
import { execvp } from "../../exec/exec.ts";
import { chdir } from "../../process/attributes.ts";
import { forkWith, reap, withDirectory, withoutLeaks } from "../_helpers.ts";
import { capture, makeFile } from "./_capture.ts";
import { setVariable, unsetVariable } from "./_environment.ts";

Deno.test(
  "execvp() looks for the program on PATH, in its order",
  withoutLeaks(() =>
    withDirectory((directory) => {
      makeFile(`${directory}/echo`, "#!/bin/sh\nprintf mine\n");
      const echo = (path: string) =>
        capture(() => {
          setVariable("PATH", path);
          execvp("echo", ["echo", "-n", "theirs"]);
        }).output;
      assertEquals(echo(`${directory}:/bin:/usr/bin`), "mine");
      assertEquals(echo(`/nowhere:/bin:/usr/bin:${directory}`), "theirs");
    })
  ),
);

Deno.test(
  "execvp() takes an empty part of PATH for the working directory",
  withoutLeaks(() =>
    withDirectory((directory) => {
      makeFile(`${directory}/here`, "#!/bin/sh\nprintf here\n");
      for (const path of ["", ":/nowhere", "/nowhere:", "/nowhere::/nowhere"]) {
        const { output } = capture(() => {
          chdir(directory);
          setVariable("PATH", path);
          execvp("here", ["here"]);
        });
        assertEquals(output, "here");
      }
    })
  ),
);

Deno.test(
  "execvp() looks in /bin and /usr/bin without PATH",
  withoutLeaks(() => {
    const { output } = capture(() => {
      unsetVariable("PATH");
      execvp("echo", ["echo", "found"]);
    });
    assertEquals(output, "found\n");
  }),
);

Deno.test(
  "execvp() does not look for a name with a slash",
  withoutLeaks(() =>
    withDirectory((directory) => {
      makeFile(`${directory}/tool`, "#!/bin/sh\nprintf $0\n");
      const { output } = capture(() => {
        chdir(directory);
        setVariable("PATH", "/nowhere");
        execvp("./tool", ["tool"]);
      });
      assertEquals(output, "./tool");
    })
  ),
);

Deno.test(
  "execvp() passes over files that may not be executed, and says EACCES if that was all",
  withoutLeaks(() =>
    withDirectory((directory) => {
      makeFile(`${directory}/true`, "#!/bin/sh\n", 0o644);
      const raw = reap(forkWith(() => {
        setVariable("PATH", `${directory}:/nowhere`);
        const error = assertThrows(() => execvp("true", ["true"]), PosixError);
        assertEquals([error.code, error.path], ["EACCES", "true"]);
        setVariable("PATH", `${directory}:/bin:/usr/bin`);
        execvp("true", ["true"]);
      }));
      assertEquals(raw, 0);
    })
  ),
);

Deno.test(
  "execvp() has /bin/sh run a file that is no program",
  withoutLeaks(() =>
    withDirectory((directory) => {
      const text = `printf '<%s>' "$0" "$@"\n`;
      const script = makeFile(`${directory}/no interpreter`, text);
      assertEquals(
        capture(() => execvp(script, ["ignored", "a b", "c"])).output,
        `<${script}><a b><c>`,
      );
      const empty = makeFile(`${directory}/empty`, "");
      assertEquals(capture(() => execvp(empty, ["empty"])).raw, 0);
    })
  ),
);

Deno.test(
  "execvp() throws ENOENT for what is nowhere on PATH",
  withoutLeaks(() => {
    for (const file of ["surely no such program", "", "/nowhere/sh"]) {
      const error = assertThrows(
        () => execvp(file, ["x"]),
        PosixError,
        `Cannot execute "${file}": execvp failed with ENOENT`,
      );
      assertEquals(
        [error.code, error.syscall, error.path],
        ["ENOENT", "execvp", file],
      );
    }
  }),
);

Deno.test("execvp() refuses wrong arguments, naming them", () => {
  assertThrows(() => execvp("a\0b", ["x"]), TypeError, "'file'");
  assertThrows(() => execvp("false", []), RangeError, "'args'");
  assertThrows(() => execvp("false", ["\0"]), TypeError, "'args[0]'");
});
