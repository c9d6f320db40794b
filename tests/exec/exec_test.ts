import {
  type Environment,
  execl,
  execle,
  execlp,
  execlpe,
  execv,
  execve,
  execvp,
  execvpe,
  fexecve,
} from "../../exec/exec.ts";
import { cString } from "../../ffi/_arguments.ts";
import { O_CLOEXEC, O_PATH, O_RDONLY } from "../../ffi/constants.ts";
import { PosixError } from "../../ffi/errors.ts";
import { close, open, setCloexec } from "../../ipc/descriptors.ts";
import { chdir } from "../../process/attributes.ts";
import { alarm } from "../../process/timers.ts";
import { forkWith, reap, withDirectory, withoutLeaks } from "../_helpers.ts";
import { capture, makeFile } from "./_capture.ts";
import { setVariable, unsetVariable } from "./_environment.ts";
import { libc } from "./_libc.ts";
import { assert, assertEquals, assertThrows } from "@std/assert";

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

function environmentOf(env: Environment): string {
  const args = ["cat", "/proc/self/environ"];
  const { raw, output } = capture(() => execve("/bin/cat", args, env));
  assertEquals(raw, 0);
  return output;
}

Deno.test(
  "execve() gives exactly the environment that it is given, in its order",
  withoutLeaks(() => {
    const env = {
      ZEBRA: "1",
      "a b": "ü=字\n",
      EMPTY: "",
      // deno-lint-ignore camelcase
      _lower: "$HOME",
    };
    assertEquals(
      environmentOf(env),
      "ZEBRA=1\0a b=ü=字\n\0EMPTY=\0_lower=$HOME\0",
    );
    assertEquals(environmentOf({}), "");
    assertEquals(
      environmentOf(Object.assign(Object.create(null), { A: "b" })),
      "A=b\0",
    );
  }),
);

Deno.test("execve() throws what is wrong with the program", () => {
  const error = assertThrows(
    () => execve("/nowhere", ["x"], {}),
    PosixError,
    `Cannot execute "/nowhere": execve failed with ENOENT`,
  );
  assertEquals(
    [error.code, error.syscall, error.path],
    ["ENOENT", "execve", "/nowhere"],
  );
  const big = { X: "x".repeat(3 * 2 ** 20) };
  assertEquals(
    assertThrows(() => execve("/bin/true", ["x"], big), PosixError).code,
    "E2BIG",
  );
});

Deno.test("execve() refuses wrong environments, naming what is wrong", () => {
  const become = (env: unknown) =>
    execve("/bin/false", ["x"], env as Environment);
  for (const name of ["", "=", "A=B", "A\0B"]) {
    assertThrows(
      () => become({ GOOD: "1", [name]: "x" }),
      TypeError,
      `'env' must not have a name that is empty or contains "=" or NUL: current name is "`,
    );
  }
  assertThrows(
    () => become({ A: "x\0y" }),
    TypeError,
    `'env["A"]' must not contain NUL`,
  );
  assertThrows(() => become({ A: undefined }), TypeError, `'env["A"]'`);
  assertThrows(() => become({ A: 5 }), TypeError, `'env["A"]'`);
  assertThrows(() => become({ "\ud800": "x" }), TypeError, "lone surrogate");
  for (
    const wrong of [
      undefined,
      null,
      "A=b",
      ["A=b"],
      new Map([["A", "b"]]),
      Deno.env,
    ]
  ) assertThrows(() => become(wrong), TypeError, "'env");
  assertThrows(() => execve("/bin/false", [], {}), RangeError, "'args'");
});

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
