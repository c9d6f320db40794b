import { assertEquals, assertThrows } from "@std/assert";
import { O_CLOEXEC, O_PATH, O_RDONLY } from "../../ffi/constants.ts";
import { PosixError } from "../../ffi/errors.ts";
import { fexecve } from "../../exec/exec.ts";
import { close, open, setCloexec } from "../../ipc/descriptors.ts";
import { withDirectory, withoutLeaks } from "../_helpers.ts";
import { capture, makeFile } from "./_capture.ts";

Deno.test(
  "fexecve() becomes the program that a descriptor is open on",
  withoutLeaks(() => {
    for (const flags of [O_RDONLY | O_CLOEXEC, O_PATH | O_CLOEXEC]) {
      const fd = open("/bin/cat", flags);
      const args = ["name", "/proc/self/cmdline", "/proc/self/environ"];
      const { raw, output } = capture(() => fexecve(fd, args, { A: "1" }));
      close(fd);
      assertEquals([raw, output], [0, `${args.join("\0")}\0A=1\0`]);
    }
  }),
);

Deno.test(
  "fexecve() runs a script if the descriptor is not close-on-exec, and throws ENOENT if it is",
  withoutLeaks(() =>
    withDirectory((directory) => {
      const path = makeFile(`${directory}/script`, "#!/bin/sh\nprintf $1\n");
      const inherited = open(path, O_RDONLY);
      setCloexec(inherited, false);
      const { output } = capture(() => fexecve(inherited, ["x", "arg"], {}));
      close(inherited);
      assertEquals(output, "arg");

      const closed = open(path, O_RDONLY | O_CLOEXEC);
      const error = assertThrows(
        () => fexecve(closed, ["x"], {}),
        PosixError,
        `Cannot execute descriptor ${closed}: fexecve failed with ENOENT`,
      );
      close(closed);
      assertEquals(
        [error.code, error.syscall, error.path],
        ["ENOENT", "fexecve", undefined],
      );
    })
  ),
);

Deno.test(
  "fexecve() throws EBADF, EACCES and ENOEXEC for descriptors without a program",
  withoutLeaks(() =>
    withDirectory((directory) => {
      const code = (fd: number) =>
        assertThrows(() => fexecve(fd, ["x"], {}), PosixError).code;
      assertEquals(code(2_147_483_647), "EBADF");
      const cases: [path: string, code: string][] = [
        [directory, "EACCES"],
        [makeFile(`${directory}/plain`, "x", 0o644), "EACCES"],
        [makeFile(`${directory}/empty`, ""), "ENOEXEC"],
      ];
      for (const [path, expected] of cases) {
        const fd = open(path, O_RDONLY | O_CLOEXEC);
        assertEquals(code(fd), expected);
        close(fd);
      }
    })
  ),
);

Deno.test("fexecve() refuses wrong arguments, naming them", () => {
  for (const fd of [-1, 2 ** 31, 0.5, NaN]) {
    assertThrows(() => fexecve(fd, ["x"], {}), RangeError, "'fd'");
  }
  assertThrows(() => fexecve(0, [], {}), RangeError, "'args'");
  assertThrows(() => fexecve(0, ["x"], { "A=": "" }), TypeError, "'env'");
});
