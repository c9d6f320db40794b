import { assert, assertEquals, assertThrows } from "@std/assert";
import { isRoot, libc } from "./_libc.ts";
import { spawn, type SpawnOptions } from "../../exec/mod.ts";
import { PosixError } from "../../mod.ts";
import { getrlimit, nice, onFork } from "../../process/mod.ts";
import { withoutLeaks } from "../_helpers.ts";
import { testOnKernels } from "./_kernels.ts";
import { runShell } from "./_run_shell.ts";

testOnKernels(
  "spawn() sets umask, limits and priority for the program alone",
  async () => {
    const limit = getrlimit("RLIMIT_NOFILE");
    const { text } = await runShell(
      "umask; ulimit -Sn; ulimit -Hn; ulimit -v; nice",
      {
        umask: 0o27,
        priority: nice(0) + 3,
        rlimits: {
          RLIMIT_NOFILE: { soft: 100, hard: 200 },
          RLIMIT_AS: { soft: 102_400_000, hard: Infinity },
        },
      },
    );
    assertEquals(text, `0027\n100\n200\n100000\n${nice(0) + 3}\n`);
    assertEquals(getrlimit("RLIMIT_NOFILE"), limit);
  },
);

Deno.test({
  name:
    "spawn() runs the program as another user and group, in no other groups",
  ignore: !isRoot(),
  fn: withoutLeaks(async () => {
    const script = "grep -E '^(Uid|Gid|Groups)' /proc/self/status";
    const ids = async (options: SpawnOptions) =>
      (await runShell(script, options)).text.split(/\s+/).filter((word) =>
        word !== ""
      );
    assertEquals(await ids({ uid: 65534, gid: 65533 }), [
      "Uid:",
      "65534",
      "65534",
      "65534",
      "65534",
      "Gid:",
      "65533",
      "65533",
      "65533",
      "65533",
      "Groups:",
    ]);
    const refused = assertThrows(
      () => spawn("/bin/true", [], { uid: 65534, cwd: "/root" }),
      PosixError,
    );
    assertEquals([refused.code, refused.path], ["EACCES", "/root"]);
    // The child had this process's memory, from which the kernel keeps others where somebody changes who it is.
    const PR_GET_DUMPABLE = 3;
    assertEquals(libc.prctl(PR_GET_DUMPABLE, 0n, null, 0n, 0n), 1);
  }),
});

testOnKernels(
  "spawn() with a setting does the rest as without, and runs nobody's hooks of fork",
  async () => {
    const hooks: string[] = [];
    using _ = onFork({
      prepare: () => void hooks.push("prepare"),
      parent: () => void hooks.push("parent"),
      child: () => void hooks.push("child"),
    });
    const output = await runShell("echo $A; pwd; cat; exit 4", {
      umask: 0o22,
      env: { A: "variable" },
      cwd: "/usr",
      stdin: "null",
      processGroup: 0,
    });
    assertEquals(hooks, []);
    assertEquals([output.text, output.code], ["variable\n/usr\n", 4]);
  },
);

testOnKernels(
  "spawn() says which setting the system refuses, and leaves no child",
  () => {
    const error = assertThrows(
      () =>
        spawn("true", [], {
          rlimits: { RLIMIT_CORE: { soft: 2, hard: 1 } },
          stdout: "piped",
        }),
      PosixError,
    );
    assertEquals([error.code, error.syscall], ["EINVAL", "setrlimit"]);
    assert(error.message.includes("RLIMIT_CORE"));
  },
);
