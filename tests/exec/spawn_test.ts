import { assert, assertEquals, assertThrows } from "@std/assert";
import { spawn, type SpawnOptions } from "../../exec/mod.ts";
import {
  close,
  dup2,
  O_CREAT,
  O_RDWR,
  open,
  pipe,
  readAll,
  setCloexec,
  writeAll,
} from "../../ipc/mod.ts";
import { getpgrp, getpid, setSignal } from "../../process/mod.ts";
import { PosixError } from "../../mod.ts";
import {
  assertOpenDescriptors,
  openDescriptors,
  readText,
  withDirectory,
  withoutLeaks,
} from "../_helpers.ts";
import { decode, encode } from "../ipc/_helpers.ts";
import { setVariable, unsetVariable } from "./_environment.ts";
import { testOnKernels } from "./_kernels.ts";
import { runShell } from "./_run_shell.ts";

/** What `/proc/self/status` of a program says in the line of that name. */
async function statusLine(
  name: string,
  options: SpawnOptions,
): Promise<bigint> {
  const { text } = await runShell(
    `exec grep ^${name} /proc/self/status`,
    options,
  );
  return BigInt(`0x${text.split(/\s+/)[1]}`);
}

const bit = (signal: number) => 1n << BigInt(signal - 1);

Deno.test(
  "spawn() starts a program found on PATH or by its path, and tells how it has ended",
  withoutLeaks(async () => {
    for (const file of ["true", "/bin/true"]) {
      const child = spawn(file);
      assert(child.pid > 0);
      const { rusage, ...rest } = await child.status;
      assertEquals(rest, {
        success: true,
        code: 0,
        signal: null,
        coreDumped: false,
        timedOut: false,
      });
      assert(rusage.nvcsw + rusage.nivcsw > 0);
    }
    assertEquals((await spawn("sh", ["-c", "exit 7"]).status).code, 7);
    assertEquals(
      (await spawn("sh", ["-c", "kill -9 $$"]).status).signal,
      "SIGKILL",
    );
  }),
);

Deno.test(
  "spawn() hands over arguments and argv0 as they are",
  withoutLeaks(async () => {
    const args = ["", " two words ", "你好", "$HOME", "*", "-n"];
    const { stdout } = await spawn("printf", ["[%s]", ...args], {
      stdout: "piped",
    }).output();
    assertEquals(decode(stdout), args.map((arg) => `[${arg}]`).join(""));
    const named = spawn("sh", [
      "-c",
      "tr '\\0' , </proc/$$/cmdline | cut -d, -f1",
    ], {
      argv0: "a name",
      stdout: "piped",
    });
    assertEquals(await named.text(), "a name\n");
  }),
);

Deno.test(
  "spawn() adds env to the environment, which it inherits unless clearEnv",
  withoutLeaks(async () => {
    setVariable("SPAWN_KEPT", "kept");
    setVariable("SPAWN_REPLACED", "old");
    setVariable("SPAWN_REPLACED_LONGER", "other");
    const script = "exec /usr/bin/env";
    const lines = async (options: SpawnOptions) =>
      (await runShell(script, options)).text.split("\n")
        .filter((line) => line.startsWith("SPAWN_")).sort();
    const env = { SPAWN_REPLACED: "新=new", SPAWN_ADDED: "" };
    assertEquals(await lines({}), [
      "SPAWN_KEPT=kept",
      "SPAWN_REPLACED=old",
      "SPAWN_REPLACED_LONGER=other",
    ]);
    assertEquals(await lines({ env }), [
      "SPAWN_ADDED=",
      "SPAWN_KEPT=kept",
      "SPAWN_REPLACED=新=new",
      "SPAWN_REPLACED_LONGER=other",
    ]);
    assertEquals(await lines({ env, clearEnv: true }), [
      "SPAWN_ADDED=",
      "SPAWN_REPLACED=新=new",
    ]);
    const bare = spawn("/usr/bin/env", [], { clearEnv: true, stdout: "piped" });
    assertEquals(await bare.text(), "");
    for (const name of ["KEPT", "REPLACED", "REPLACED_LONGER"]) {
      unsetVariable(`SPAWN_${name}`);
    }
  }),
);

testOnKernels(
  "spawn() runs the program in cwd, from where a relative path is looked up",
  async () => {
    assertEquals((await runShell("pwd", { cwd: "/usr" })).text, "/usr\n");
    const child = spawn("bin/env", ["pwd"], { cwd: "/usr", stdout: "piped" });
    assertEquals(await child.text(), "/usr\n");
  },
);

Deno.test(
  "spawn() pipes all three streams, 1 MiB through",
  withoutLeaks(async () => {
    const data = crypto.getRandomValues(new Uint8Array(65_536));
    const child = spawn("sh", ["-c", "tee /dev/stderr"], {
      stdin: "piped",
      stdout: "piped",
      stderr: "piped",
    });
    const output = child.output();
    const writer = child.stdin.getWriter();
    for (let i = 0; i < 16; i++) await writer.write(data);
    await writer.close();
    const { stdout, stderr, code } = await output;
    assertEquals([code, stdout.length, stderr.length], [
      0,
      1_048_576,
      1_048_576,
    ]);
    assert(stdout.every((byte, index) => byte === data[index % 65_536]));
  }),
);

testOnKernels(
  "spawn() connects streams with nothing, descriptors, files and each other",
  () =>
    withDirectory(async (directory) => {
      const nothing = {
        stdin: "null",
        stdout: "null",
        stderr: "null",
      } as const;
      assertEquals((await spawn("cat", [], nothing).status).code, 0);

      const [reader, writer] = pipe();
      await spawn("echo", ["by descriptor"], { stdout: writer }).status;
      close(writer);
      assertEquals(decode(readAll(reader)), "by descriptor\n");
      close(reader);

      const file: `${string}/${string}` = `${directory}/file`;
      const both = "printf out; printf err >&2";
      await spawn("sh", ["-c", both], { stdout: file, stderr: file }).status;
      assertEquals(readText(file), "outerr");
      assertEquals((await runShell("cat", { stdin: file })).text, "outerr");
      await spawn("true", [], { stdout: file }).status;
      assertEquals(readText(file), "");
      assertEquals(
        (await runShell(both, { stderr: "stdout" })).text,
        "outerr",
      );
    }),
);

testOnKernels(
  "spawn() gives the program the descriptors in fds, in any permutation, and no others",
  () =>
    withDirectory(async (directory) => {
      const fds = ["a", "b", "c", "d"].map((text) => {
        const fd = open(`${directory}/${text}`, O_RDWR | O_CREAT);
        writeAll(fd, text);
        return fd;
      });
      const [a, b, c, d] = fds as [number, number, number, number];
      // One that anybody has opened without close-on-exec, in a gap between the others, and one behind them.
      const strays = [b + 20, b + 40].map((fd) => dup2(a, fd));
      for (const fd of strays) setCloexec(fd, false);
      const rotated = { [a]: b, [b]: c, [c]: a, [b + 30]: d, [d]: d };
      const expected = Object.entries(rotated).map(([target, source]) =>
        `${target} ${["a", "b", "c", "d"][fds.indexOf(source)]}`
      ).sort();
      const { text } = await runShell(
        `for fd in /proc/$$/fd/*; do
          n=\${fd##*/}; test $n -gt 2 && test -e "$fd" && { printf "$n "; timeout 1 head -c 1 "$fd"; echo; }; done; true`,
        { fds: rotated },
      );
      assertEquals(text.trim().split("\n").sort(), expected);
      for (const fd of [...fds, ...strays]) close(fd);
    }),
);

Deno.test(
  "spawn() exchanges standard output and standard error",
  withoutLeaks(async () => {
    const [outReader, out] = pipe();
    const [errReader, err] = pipe();
    const outer = spawn("sh", ["-c", "echo out; echo err >&2"], {
      stdout: err,
      stderr: out,
    });
    await outer.status;
    close(out);
    close(err);
    assertEquals(decode(readAll(outReader)), "err\n");
    assertEquals(decode(readAll(errReader)), "out\n");
    close(outReader);
    close(errReader);
  }),
);

testOnKernels(
  "spawn() puts the program in a group or a session of its own, or another's group",
  async () => {
    const script = `set -- $(cat /proc/$$/stat); echo $1 $5 $6`;
    const ids = async (options: SpawnOptions) =>
      (await runShell(script, options)).text.trim().split(" ").map(Number);
    const inherited = await ids({});
    assertEquals(inherited[1], getpgrp());
    const [pid, group, session] = await ids({ processGroup: 0 });
    assertEquals([group, session], [pid, inherited[2]]);
    const alone = await ids({ newSession: true });
    assertEquals([alone[1], alone[2]], [alone[0], alone[0]]);
    await using leader = spawn("sleep", ["60"], { processGroup: 0 });
    assertEquals((await ids({ processGroup: leader.pid }))[1], leader.pid);
  },
);

testOnKernels(
  "spawn() starts programs with no signal blocked and SIGPIPE at its default, unless asked otherwise",
  async () => {
    assertEquals(await statusLine("SigBlk", {}), 0n);
    assertEquals((await statusLine("SigIgn", {})) & bit(13), 0n);
    const masked = await statusLine("SigBlk", {
      signalMask: ["SIGUSR1", 64, "SIGHUP"],
    });
    assertEquals(masked, bit(10) | bit(64) | bit(1));
    setSignal("SIGUSR2", "ignore");
    try {
      const ignored = async (resetSignals: SpawnOptions["resetSignals"]) =>
        (await statusLine("SigIgn", { resetSignals: resetSignals! })) & bit(12);
      assertEquals(await ignored(false), bit(12));
      assertEquals(await ignored(["SIGUSR1"]), bit(12));
      assertEquals(await ignored(true), 0n);
      assertEquals(await ignored(["SIGUSR2", "SIGKILL"]), 0n);
    } finally {
      setSignal("SIGUSR2", "default");
    }
  },
);

testOnKernels(
  "spawn() leaves parent, descriptors and signals of this process as they were",
  async () => {
    const before = readText("/proc/self/status").match(
      /^Sig(Ign|Cgt|Blk).*$/mg,
    );
    const fds = openDescriptors();
    const { text } = await runShell("echo $PPID");
    assertEquals(Number(text), getpid());
    assertEquals(
      readText("/proc/self/status").match(/^Sig(Ign|Cgt|Blk).*$/mg),
      before,
    );
    assertOpenDescriptors(fds);
  },
);

Deno.test(
  "spawn() runs 200 programs at once without a thread for each",
  withoutLeaks(async () => {
    const threads = () =>
      Number(/^Threads:\s*(\d+)/m.exec(readText("/proc/self/status"))![1]);
    await spawn("true").status;
    const before = threads();
    const children = Array.from(
      { length: 200 },
      () => spawn("cat", [], { stdin: "piped", stdout: "null" }),
    );
    assert(threads() <= before + 4, `${threads()} threads after ${before}`);
    for (const child of children) await child.stdin.close();
    const statuses = await Promise.all(children.map((child) => child.status));
    assert(statuses.every(({ success }) => success));
  }),
);

testOnKernels(
  "spawn() 90 times in a row, failures among them, leaves nothing behind",
  async () => {
    for (let i = 0; i < 90; i++) {
      if (i % 3 === 0) {
        assertThrows(
          () => spawn("/not/there", [], { stdin: "piped" }),
          PosixError,
        );
      } else if (i % 3 === 1) {
        assert(
          (await spawn("/bin/true", [], { stdout: "piped" }).output()).success,
        );
      } else assert((await spawn("/bin/true").status).success);
    }
  },
);

Deno.test(
  "spawn() gives a stdin whose end the program sees, held by no other program",
  withoutLeaks(async () => {
    const [first, second] = [1, 2].map(() =>
      spawn("cat", [], { stdin: "piped", stdout: "piped" })
    );
    const writer = first!.stdin.getWriter();
    await writer.write(encode("to the first"));
    await writer.close();
    assertEquals(await first!.text(), "to the first");
    await second!.stdin.close();
    assertEquals(await second!.text(), "");
  }),
);

Deno.test(
  "spawn() does not look at timers unless a time limit asks for one: to load them takes Deno longer than the program runs",
  withoutLeaks(async () => {
    const { clearTimeout } = globalThis;
    const former = Object.getOwnPropertyDescriptor(globalThis, "clearTimeout")!;
    let looks = 0;
    Object.defineProperty(globalThis, "clearTimeout", {
      configurable: true,
      get: () => (looks++, clearTimeout),
    });
    const lookedAt = async (options?: SpawnOptions) => {
      looks = 0;
      await spawn("/bin/true", [], options).status;
      return looks > 0;
    };
    try {
      assertEquals(await lookedAt(), false);
      assertEquals(await lookedAt({ timeout: 60_000 }), true);
    } finally {
      Object.defineProperty(globalThis, "clearTimeout", former);
    }
  }),
);
