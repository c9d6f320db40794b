import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { kernel } from "../../exec/_vfork_exec.ts";
import { spawn, type SpawnOptions } from "../../exec/mod.ts";
import { cString } from "../../ffi/_arguments.ts";
import { close, pipe, read, setCloexec } from "../../ipc/mod.ts";
import { ERRNO, PosixError } from "../../ffi/mod.ts";
import { kill } from "../../process/mod.ts";
import { waitpid } from "../../wait/mod.ts";
import {
  forkWith,
  openDescriptors,
  readText,
  reap,
  until,
  withDirectory,
  withoutLeaks,
} from "../_helpers.ts";
import { CLOSED_FD, decode } from "../ipc/_helpers.ts";
import { makeFile } from "./_capture.ts";
import { getVariable, setVariable } from "./_environment.ts";
import { refuseNewCalls, testOnKernels } from "./_kernels.ts";
import { libc } from "./_libc.ts";
import { runShell } from "./_run_shell.ts";

/** The error of a start that must fail. */
function refusal(
  file: string,
  args: string[],
  options: SpawnOptions,
): PosixError {
  return assertThrows(() => spawn(file, args, options), PosixError);
}

function isRunning(pid: number): boolean {
  const stat = readText(`/proc/${pid}/stat`);
  return stat !== "" && !/\) Z /.test(stat);
}

/** Runs a test with as many directories. */
function withDirectories(
  count: number,
  body: (paths: string[]) => Promise<void>,
  made: string[] = [],
): Promise<void> {
  return count === 0
    ? body(made)
    : withDirectory((path) =>
      withDirectories(count - 1, body, [...made, path])
    );
}

testOnKernels(
  "spawn() says at once which program cannot be run, and why",
  () =>
    withDirectory((directory) => {
      const script = makeFile(`${directory}/script`, "#!/no/such/shell\n");
      const text = makeFile(`${directory}/text`, "neither script nor binary");
      const plain = makeFile(`${directory}/plain`, "#!/bin/sh\n", 0o644);
      const options = { stdin: "piped", stdout: "piped" } as const;
      for (
        const [file, code] of [
          ["/no/such/program", "ENOENT"],
          ["no-such-program-on-path", "ENOENT"],
          [`${script}/inside`, "ENOTDIR"],
          [plain, "EACCES"],
          [directory, "EACCES"],
          [text, "ENOEXEC"],
          ["", "ENOENT"],
        ] as const
      ) {
        const error = refusal(file, [], options);
        assertEquals(
          [error.code, error.syscall, error.path],
          [code, "execve", file],
          error.message,
        );
        assert(
          error.message.startsWith(`Cannot start ${JSON.stringify(file)}: `),
        );
      }
      const { code, message } = refusal(script, [], options);
      assertEquals(code, "ENOENT");
      assert(
        message.endsWith(
          "the file is there, but not the interpreter that it names",
        ),
      );
      const long = "x".repeat(200_000);
      assertEquals(refusal("true", [long], options).code, "E2BIG");
    }),
);

Deno.test(
  "spawn() looks for a name in the directories of PATH as glibc does",
  withoutLeaks(() =>
    withDirectories(4, async ([denied, broken, good, strange]) => {
      makeFile(`${denied}/tool`, "#!/bin/sh\n", 0o644);
      makeFile(`${broken}/tool`, "neither script nor binary");
      makeFile(`${good}/tool`, "#!/bin/sh\necho $0\n");
      const link = cString(`${strange}/tool`, "path");
      assertEquals(libc.symlink(cString("/", "path"), link), 0);
      const before = getVariable("PATH");
      const lookIn = (...directories: string[]) =>
        setVariable("PATH", directories.join(":"));
      try {
        lookIn("/no/such", denied!, strange!, `${good}/tool`, good!, broken!);
        assertEquals(
          await spawn("tool", [], { stdout: "piped" }).text(),
          `${good}/tool\n`,
        );
        for (const first of [[], [denied!]]) {
          lookIn(...first, broken!, good!);
          assertEquals(refusal("tool", [], {}).code, "ENOEXEC");
        }
        lookIn(denied!, "/no/such");
        assertEquals(refusal("tool", [], {}).code, "EACCES");
        lookIn("/no/such", "/proc");
        assertEquals(refusal("tool", [], {}).code, "ENOENT");
      } finally {
        setVariable("PATH", before);
      }
    })
  ),
);

testOnKernels(
  "spawn() names the directory, the group, the descriptor or the file that was wrong",
  async () => {
    await using leadsNoGroup = spawn("sleep", ["60"]);
    await using leadsSession = spawn("sleep", ["60"], { newSession: true });
    const directory = refusal("true", [], { cwd: "/no/such" });
    assertEquals(
      [directory.code, directory.syscall, directory.path],
      ["ENOENT", "chdir", "/no/such"],
    );
    assertEquals(refusal("true", [], { cwd: "/bin/sh" }).code, "ENOTDIR");
    for (const { pid } of [leadsNoGroup, leadsSession]) {
      const group = refusal("true", [], { processGroup: pid });
      assertEquals([group.code, group.syscall], ["EPERM", "setpgid"]);
    }
    for (const options of [{ stdout: CLOSED_FD }, { fds: { 5: CLOSED_FD } }]) {
      const error = refusal("true", [], { stdin: "piped", ...options });
      assertEquals(error.code, "EBADF");
      assert(error.message.includes(`descriptor ${CLOSED_FD}`));
    }
    const file = refusal("true", [], { stdin: "/no/such" });
    assertEquals([file.code, file.path], ["ENOENT", "/no/such"]);
  },
);

Deno.test(
  "spawn() does without what a kernel refuses, and says so of what nothing does without",
  withoutLeaks(() => {
    for (const errno of [ERRNO.ENOSYS, ERRNO.EPERM, ERRNO.EAGAIN]) {
      const pid = forkWith(() => {
        Object.assign(kernel, {
          clearsHandlers: undefined,
          closesRanges: undefined,
        });
        refuseNewCalls(errno);
        if (errno === ERRNO.EAGAIN) {
          const { code, syscall } = refusal("true", [], {});
          return code === "EAGAIN" && syscall === "clone" ? 0 : 1;
        }
        const [reader, writer] = pipe();
        setCloexec(writer, false);
        const child = spawn("sh", ["-c", `kill -0 $$ >&${writer}`], {
          stderr: "null",
        });
        close(writer);
        close(reader);
        // The shell had no such descriptor.
        return waitpid(child.pid)?.raw === 2 << 8 &&
            kernel.clearsHandlers === false && kernel.closesRanges === false
          ? 0
          : 1;
      });
      assertEquals(reap(pid), 0);
    }
  }),
);

Deno.test(
  "spawn() refuses wrong and contradictory arguments before anything has happened",
  withoutLeaks(() => {
    const bad = (options: unknown, message: string, type = TypeError) =>
      assertThrows(
        () => spawn("true", [], options as SpawnOptions),
        type,
        message,
      );
    assertThrows(() => spawn("a\0b"), TypeError, "'file' must not contain NUL");
    assertThrows(() => spawn("true", ["a\0b"]), TypeError, "NUL");
    assertThrows(
      () => spawn("true", "args" as never),
      TypeError,
      "'args' must be an array",
    );
    assertThrows(() => spawn(7 as never), TypeError, "'file'");
    bad(null, "'options' must be an object");
    bad({ cwd: "a\0" }, "'cwd' must not contain NUL");
    bad({ env: { "A=B": "" } }, "'env'");
    bad({ env: { A: 7 } }, "'env[");
    bad(
      { stdout: "pipe" },
      `must be "inherit", "null", "piped", a descriptor, or a path`,
    );
    bad({ stdin: "stdout" }, "'stdin'");
    bad({ stdin: -1 }, "'stdin'", RangeError);
    bad({ fds: { 2: 1 } }, "from 3 to", RangeError);
    bad({ fds: { x: 1 } }, "fds");
    bad({ fds: { 3: "1" } }, "'fds[3]' must be a number");
    bad({ newSession: true, processGroup: 5 }, "Cannot join process group 5");
    bad({ signalMask: ["SIGTREM"] }, `did you mean "SIGTERM"`);
    bad({ signalMask: [0] }, "'signalMask[0]'", RangeError);
    bad({ resetSignals: "all" }, "'resetSignals' must be a boolean");
    bad({ timeout: -1 }, "'timeout'", RangeError);
    bad({ killGrace: 1.5 }, "'killGrace'", RangeError);
    bad({ signal: {} }, "'signal' must be an AbortSignal");
    bad({ rlimits: { RLIMIT_NOFILES: { soft: 1, hard: 1 } } }, "did you mean");
    bad({ umask: 0o1000 }, "'umask'", RangeError);
    bad({ uid: -1 }, "'uid'", RangeError);
    bad({ priority: 20 }, "'priority'", RangeError);
    bad({ parentDeathSignal: 65 }, "'parentDeathSignal'", RangeError);
  }),
);

Deno.test(
  "spawn() with a signal that has aborted throws its reason and starts nothing",
  withoutLeaks(() => {
    const reason = new Error("no more");
    const signal = AbortSignal.abort(reason);
    const error = assertThrows(() =>
      spawn("true", [], { signal, stdout: "piped" })
    );
    assert(error === reason);
  }),
);

Deno.test(
  "spawn() ends the program when its signal aborts, or its timeout has passed",
  withoutLeaks(async () => {
    const controller = new AbortController();
    const aborted = spawn("sleep", ["60"], { signal: controller.signal });
    controller.abort();
    const one = await aborted.status;
    assertEquals([one.signal, one.timedOut], ["SIGTERM", false]);
    const late = await spawn("sleep", ["60"], { timeout: 5 }).status;
    assertEquals([late.signal, late.timedOut], ["SIGTERM", true]);
    const early = spawn("true", [], {
      timeout: 60_000,
      signal: controller.signal.aborted
        ? new AbortController().signal
        : controller.signal,
    });
    assertEquals((await early.status).timedOut, false);
  }),
);

const STUBBORN = "trap '' TERM; echo ready; while :; do sleep 0.01; done";

Deno.test(
  "spawn() sends SIGKILL to a program that ignores SIGTERM, when the grace is over",
  withoutLeaks(async () => {
    const controller = new AbortController();
    const child = spawn("sh", ["-c", STUBBORN], {
      stdout: "piped",
      signal: controller.signal,
      killGrace: 20,
    });
    const reader = child.stdout.getReader();
    assertEquals(decode((await reader.read()).value!), "ready\n");
    controller.abort();
    assertEquals((await child.status).signal, "SIGKILL");
    while (!(await reader.read()).done);
    const started = performance.now();
    {
      await using disposed = spawn("sh", ["-c", STUBBORN], {
        stdout: "piped",
        killGrace: 20,
      });
      await disposed.stdout.getReader().read();
    }
    assert(performance.now() - started < 4000);
  }),
);

Deno.test(
  "spawn() with a timeout ends in time though a grandchild holds the pipe",
  withoutLeaks(async () => {
    const { length } = openDescriptors();
    for (const script of ["sleep 60 & echo $!", "sleep 60 & echo $!; wait"]) {
      const { text, timedOut } = await runShell(script, {
        timeout: 200,
        killGrace: 50,
      });
      assertEquals(timedOut, true);
      const grandchild = Number(text);
      assert(isRunning(grandchild));
      kill(grandchild, "SIGKILL");
      await until(() => !isRunning(grandchild));
      // The end of the status and that of the output are told one after the other.
      await until(() => openDescriptors().length === length);
    }
  }),
);

Deno.test(
  "spawn() gives EPIPE to a writer whose program closes its input early, and SIGPIPE to a program whose reader leaves",
  withoutLeaks(async () => {
    await using closing = spawn("sh", ["-c", "exec <&-; sleep 60"], {
      stdin: "piped",
    });
    const writer = closing.stdin.getWriter();
    const error = await assertRejects(async () => {
      for (;;) await writer.write(new Uint8Array(65_536));
    }, PosixError);
    assertEquals(error.code, "EPIPE");

    const endless = spawn("yes", [], { stdout: "piped" });
    await endless.stdout.cancel();
    assertEquals((await endless.status).signal, "SIGPIPE");
  }),
);

Deno.test(
  "spawn() that runs out of descriptors leaves no child and no descriptor behind",
  withoutLeaks(() => {
    const taken: number[] = [];
    try {
      for (;;) taken.push(...pipe());
    } catch (error) {
      assertEquals((error as PosixError).code, "EMFILE");
    }
    for (let free = 0; free < 6; free++) {
      const options = { stdin: "piped", stdout: "piped" } as const;
      assertEquals(refusal("cat", [], options).code, "EMFILE");
      if (taken.length > 0 && free < 4) close(taken.pop()!);
    }
    for (const fd of taken) close(fd);
  }),
);

Deno.test(
  "spawn() with parentDeathSignal has the program end with the one that started it",
  withoutLeaks(async () => {
    // Here that is a thread of the test runner, so a child is forked, which the program outlives unless it is told.
    const { forkChild } = await import("../../process/mod.ts");
    const [reader, writer] = pipe();
    const child = await forkChild(async () => {
      const program = spawn("sleep", ["60"], {
        parentDeathSignal: "SIGKILL",
        stdout: writer,
      });
      const { write } = await import("../../ipc/mod.ts");
      write(writer, `${program.pid}`);
      await new Promise(() => {});
    });
    close(writer);
    const pid = Number(decode(read(reader, 16)));
    assert(isRunning(pid));
    child.kill("SIGKILL");
    await child.status;
    await until(() => !isRunning(pid));
    close(reader);
  }),
);
