import { assert, assertEquals, assertThrows } from "@std/assert";
import { PosixError } from "../../ffi/errors.ts";
import { cString } from "../../ffi/_arguments.ts";
import { execv } from "../../exec/exec.ts";
import { alarm } from "../../process/timers.ts";
import { forkWith, reap, withDirectory, withoutLeaks } from "../_helpers.ts";
import { capture, makeFile } from "./_capture.ts";
import { setVariable } from "./_environment.ts";
import { libc } from "./_libc.ts";

Deno.test(
  "execv() keeps the pid and gives the parent the program's own exit code",
  withoutLeaks(() => {
    const { pid, raw, output } = capture(() =>
      execv("/bin/sh", ["sh", "-c", "echo $$; exit 7"])
    );
    assertEquals([output, raw], [`${pid}\n`, 7 << 8]);
  }),
);

Deno.test(
  "execv() passes the arguments on as they are, argv[0] included",
  withoutLeaks(() => {
    const args = ["my own name", "/proc/self/cmdline", "-"];
    assertEquals(
      capture(() => execv("/bin/cat", args.slice(0, 2))).output,
      "my own name\0/proc/self/cmdline\0",
    );
    const odd = ["", " a b ", "ü字🎉", "quote\"'$x`\\", "new\nline", "-n", ""];
    assertEquals(
      capture(() =>
        execv("/bin/sh", ["sh", "-c", 'printf "<%s>" "$@"', "", ...odd])
      ).output,
      odd.map((arg) => `<${arg}>`).join(""),
    );
  }),
);

Deno.test(
  "execv() passes many and long arguments on",
  withoutLeaks(() => {
    const args = Array.from({ length: 10_000 }, (_, index) => `${index}`);
    const long = "x".repeat(100_000);
    assertEquals(
      capture(() =>
        execv("/bin/sh", [
          "sh",
          "-c",
          'echo $# ${#1} "${10001}"',
          "",
          long,
          ...args,
        ])
      ).output,
      "10001 100000 9999\n",
    );
  }),
);

Deno.test(
  "execv() hands the environment of the process on",
  withoutLeaks(() => {
    const { output } = capture(() => {
      setVariable("POSIX_PROCESS_TEST", "ü = 1");
      execv("/bin/cat", ["cat", "/proc/self/environ"]);
    });
    assert(output.split("\0").includes("POSIX_PROCESS_TEST=ü = 1"));
  }),
);

Deno.test(
  "execv() runs a script by its interpreter, from a path with spaces too",
  withoutLeaks(() =>
    withDirectory((directory) => {
      const path = `${directory}/a script ü`;
      makeFile(path, '#!/bin/sh\nprintf "<%s>" "$0" "$@"\n');
      assertEquals(
        capture(() => execv(path, ["ignored", "a b", ""])).output,
        `<${path}><a b><>`,
      );
    })
  ),
);

Deno.test(
  "execv() leaves an alarm running",
  withoutLeaks(() => {
    const raw = reap(forkWith(() => {
      alarm(1);
      execv("/bin/sleep", ["sleep", "1000"]);
    }));
    assertEquals(raw, 14);
  }),
);

Deno.test(
  "execv() throws what is wrong with the program",
  withoutLeaks(() =>
    withDirectory((directory) => {
      const plain = makeFile(`${directory}/plain`, "#!/bin/sh\n", 0o644);
      const empty = makeFile(`${directory}/empty`, "");
      const orphan = makeFile(`${directory}/orphan`, "#!/nowhere/sh\n");
      const loop = `${directory}/loop`;
      assertEquals(libc.symlink(cString(loop, ""), cString(loop, "")), 0);
      const cases: [path: string, code: string][] = [
        ["/nowhere/at all", "ENOENT"],
        ["", "ENOENT"],
        ["sh", "ENOENT"],
        [orphan, "ENOENT"],
        ["/dev/null/sh", "ENOTDIR"],
        [plain, "EACCES"],
        [directory, "EACCES"],
        [empty, "ENOEXEC"],
        [loop, "ELOOP"],
        [`/${"x".repeat(300)}`, "ENAMETOOLONG"],
      ];
      for (const [path, code] of cases) {
        const error = assertThrows(
          () => execv(path, ["x"]),
          PosixError,
          `Cannot execute "${path}": execv failed with ${code}`,
        );
        assertEquals(
          [error.code, error.syscall, error.path],
          [code, "execv", path],
        );
      }
    })
  ),
);

Deno.test(
  "execv() throws E2BIG for arguments that are too long",
  withoutLeaks(() => {
    // More than any page size allows for one string, and more than the kernel ever allows for all.
    const one = ["sh", "x".repeat(3 * 2 ** 20)];
    const many = Array.from({ length: 100 }, () => "x".repeat(100_000));
    for (const args of [one, many]) {
      const error = assertThrows(() => execv("/bin/sh", args), PosixError);
      assertEquals([error.code, error.path], ["E2BIG", "/bin/sh"]);
    }
  }),
);

Deno.test("execv() refuses wrong arguments, naming them", () => {
  const path = "/bin/false";
  assertThrows(() => execv("/bin/\0false", ["x"]), TypeError, "'path'");
  assertThrows(() => execv(5 as unknown as string, ["x"]), TypeError, "'path'");
  assertThrows(
    () => execv(path, []),
    RangeError,
    "'args' must not be empty",
  );
  assertThrows(
    () => execv(path, ["x", "a\0b"]),
    TypeError,
    `'args[1]' must not contain NUL: current value is "a\\u0000b"`,
  );
  assertThrows(() => execv(path, ["\ud800"]), TypeError, "'args[0]'");
  assertThrows(
    () => execv(path, ["x", 7 as unknown as string]),
    TypeError,
    "'args[1]' must be a string: current value is 7",
  );
  // deno-lint-ignore no-sparse-arrays
  assertThrows(() => execv(path, ["x", , "y"] as string[]), TypeError, "[1]");
  for (const wrong of ["x", null, undefined, { 0: "x", length: 1 }]) {
    assertThrows(
      () => execv(path, wrong as unknown as string[]),
      TypeError,
      "'args' must be an array",
    );
  }
});
