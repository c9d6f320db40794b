import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { PosixError } from "../../ffi/errors.ts";
import { close, pipe, read, readAll, write, writeAll } from "../../ipc/mod.ts";
import {
  _exit,
  ChildProcess,
  fork,
  forkChild,
  kill,
} from "../../process/mod.ts";
import { waitpid } from "../../wait/mod.ts";
import { forkWith, readText, reap, until, withoutLeaks } from "../_helpers.ts";
import { decode, encode } from "../ipc/_helpers.ts";
import { runProgram } from "../_run_program.ts";

const PROGRAM = new URL("./_fork_child_program.ts", import.meta.url);

const never = () => new Promise<void>(() => {});

/** A child that ends with a code as soon as it is let go. */
async function forkAtGate(
  code: number,
): Promise<{ child: ChildProcess; open: () => void }> {
  const [reader, writer] = pipe();
  const child = await forkChild(() => {
    close(writer);
    return read(reader, 1).length + code;
  });
  close(reader);
  return { child, open: () => close(writer) };
}

/** Takes the child's status away from its object, which has no turn meanwhile. */
function reapBehind({ child, open }: Awaited<ReturnType<typeof forkAtGate>>) {
  open();
  assertEquals(waitpid(child.pid)?.raw, 1 << 8);
}

/** Whether the process is there and no zombie. */
function isRunning(pid: number): boolean {
  const stat = readText(`/proc/${pid}/stat`);
  return stat !== "" && !/\) Z /.test(stat);
}

Deno.test(
  "ChildProcess cannot be constructed by hand",
  () => {
    const Constructor = ChildProcess as unknown as new (
      parts?: unknown,
    ) => void;
    for (const parts of [undefined, {}, 7]) {
      assertThrows(
        () => new Constructor(parts),
        TypeError,
        "Illegal constructor",
      );
    }
  },
);

Deno.test(
  "ChildProcess.status tells exit code and usage, the same promise each time",
  withoutLeaks(async () => {
    const child = await forkChild(() => 3);
    const { rusage, ...rest } = await child.status;
    assertEquals(rest, {
      success: false,
      code: 3,
      signal: null,
      coreDumped: false,
      timedOut: false,
    });
    assert(rusage.maxrss > 1024);
    assert(child.status === child.status);
    assertEquals((await child.status).rusage, rusage);
    const good = await forkChild(() => {});
    assertEquals((await good.status).success, true);
  }),
);

Deno.test(
  "ChildProcess.status tells the signal of a child that was killed, and 128 plus its number as the code",
  withoutLeaks(async () => {
    for (
      const [signal, code] of [
        ["SIGKILL", 137],
        ["SIGTERM", 143],
        ["SIGUSR1", 138],
        ["SIGRTMIN+1", 163],
      ] as const
    ) {
      const child = await forkChild(never);
      child.kill(signal);
      const { rusage: _, ...rest } = await child.status;
      assertEquals(rest, {
        success: false,
        code,
        signal,
        coreDumped: false,
        timedOut: false,
      });
    }
  }),
);

Deno.test(
  "ChildProcess.status is rejected with ECHILD where somebody else has reaped the child, and harms nobody who does not look",
  withoutLeaks(async () => {
    const ignored = await forkAtGate(1);
    reapBehind(ignored);
    const child = await forkAtGate(1);
    reapBehind(child);
    assertThrows(() => child.child.kill(), TypeError, "already terminated");
    const error = await assertRejects(() => child.child.status, PosixError);
    assertEquals(error.code, "ECHILD");
    for (const gated of [child, ignored]) {
      await gated.child[Symbol.asyncDispose]();
    }
  }),
);

Deno.test(
  "ChildProcess.kill() sends SIGTERM, or what it is told, by name or number",
  withoutLeaks(async () => {
    const [reader, writer] = pipe();
    const child = await forkChild(() => {
      Deno.addSignalListener("SIGUSR1", () => void write(writer, "1"));
      write(writer, "0");
      return never();
    });
    assertEquals(decode(read(reader, 1)), "0");
    child.kill(10);
    assertEquals(decode(read(reader, 1)), "1");
    child.kill(0);
    child.kill();
    assertEquals((await child.status).signal, "SIGTERM");
    close(reader);
    close(writer);
  }),
);

Deno.test(
  "ChildProcess.kill() says as Deno does that the child has terminated, once it is reaped",
  withoutLeaks(async () => {
    const child = await forkChild(() => 0);
    await child.status;
    for (const signal of [undefined, "SIGKILL", 0] as const) {
      assertThrows(
        () => child.kill(signal),
        TypeError,
        "Child process has already terminated",
      );
    }
  }),
);

Deno.test(
  "ChildProcess.kill() reaches a zombie, and does nothing to it",
  withoutLeaks(async () => {
    const { child, open } = await forkAtGate(4);
    open();
    // Without a turn of the event loop nobody reaps it.
    while (isRunning(child.pid));
    child.kill("SIGKILL");
    assertEquals((await child.status).code, 4);
  }),
);

Deno.test(
  "ChildProcess.kill() refuses signals that there are not",
  withoutLeaks(async () => {
    await using child = await forkChild(never);
    assertThrows(
      () => child.kill("SIGTREM" as never),
      TypeError,
      `did you mean "SIGTERM"`,
    );
    assertThrows(() => child.kill(65), RangeError, "'signal'");
    assertThrows(() => child.kill(-1), RangeError, "'signal'");
    assert(isRunning(child.pid));
  }),
);

Deno.test(
  "ChildProcess has no streams that are not piped",
  withoutLeaks(async () => {
    await using child = await forkChild(() => {}, { stdout: "null" });
    for (const name of ["stdin", "stdout", "stderr"] as const) {
      assertThrows(
        () => child[name],
        TypeError,
        `Cannot get '${name}': '${name}' is not piped`,
      );
    }
    const output = await child.output();
    for (const name of ["stdout", "stderr"] as const) {
      assertThrows(
        () => output[name],
        TypeError,
        `Cannot get '${name}': '${name}' is not piped`,
      );
    }
    await assertRejects(
      () => child.text(),
      TypeError,
      "Cannot get 'stdout': 'stdout' is not piped",
    );
  }),
);

Deno.test(
  "ChildProcess passes 1 MiB each way",
  withoutLeaks(async () => {
    const data = crypto.getRandomValues(new Uint8Array(65_536));
    const child = await forkChild(() => {
      for (let total = 0; total < 1_048_576;) {
        const bytes = read(0, 65_536);
        writeAll(1, bytes);
        writeAll(2, bytes.subarray(0, 1));
        total += bytes.length;
      }
      return readAll(0).length;
    }, { stdin: "piped", stdout: "piped", stderr: "piped" });
    const output = child.output();
    const writer = child.stdin.getWriter();
    for (let i = 0; i < 16; i++) await writer.write(data);
    await writer.close();
    const { code, stdout, stderr } = await output;
    assertEquals(code, 0);
    assertEquals(stdout.length, 1_048_576);
    for (let i = 0; i < 16; i++) {
      assertEquals(stdout.subarray(i * 65_536, (i + 1) * 65_536), data);
    }
    assert(stderr.length >= 16);
  }),
);

Deno.test(
  "ChildProcess.stdin that is closed early is the end of the child's input; once the child has ended, writing is EPIPE",
  withoutLeaks(async () => {
    const reading = await forkChild(() => readAll(0).length, {
      stdin: "piped",
    });
    await reading.stdin.close();
    assertEquals((await reading.status).code, 0);

    const ending = await forkChild(() => read(0, 1).length, {
      stdin: "piped",
    });
    const writer = ending.stdin.getWriter();
    const error = await assertRejects(async () => {
      for (;;) await writer.write(new Uint8Array(65_536));
    }, PosixError);
    assertEquals(error.code, "EPIPE");
    assertEquals((await ending.status).code, 1);
  }),
);

Deno.test(
  "ChildProcess.stdin is held by no other child, forked before or after",
  withoutLeaks(async () => {
    const [first, second, third] = await Promise.all(
      [1, 2, 3].map((code) =>
        forkChild(() => readAll(0).length + code, { stdin: "piped" })
      ),
    );
    const bare = forkWith(() => {
      for (;;) read(0, 0);
    });
    for (
      const [child, code] of [[second!, 2], [third!, 3], [first!, 1]] as const
    ) {
      await child.stdin.close();
      assertEquals((await child.status).code, code);
    }
    kill(bare, "SIGKILL");
    reap(bare);
  }),
);

Deno.test(
  "ChildProcess.stdout goes on after the child's end, as long as a grandchild has it",
  withoutLeaks(async () => {
    const child = await forkChild(() => {
      const grandchild = fork();
      if (grandchild === 0) {
        readAll(0);
        write(1, "late");
        _exit(0);
      }
      write(1, `${grandchild} `);
    }, { stdin: "piped", stdout: "piped" });
    assertEquals((await child.status).code, 0);
    const reader = child.stdout.getReader();
    const grandchild = parseInt(decode((await reader.read()).value!));
    assert(isRunning(grandchild));
    const late = reader.read();
    await child.stdin.close();
    assertEquals(decode((await late).value!), "late");
    assert((await reader.read()).done);
    await until(() => !isRunning(grandchild));
  }),
);

Deno.test(
  "ChildProcess.output() and text() collect what the child writes",
  withoutLeaks(async () => {
    const body = () => {
      write(1, "标准输出");
      write(2, "standard error");
      return 4;
    };
    const streams = { stdout: "piped", stderr: "piped" } as const;
    const { stdout, stderr, code, signal, success, rusage } =
      await (await forkChild(body, streams)).output();
    assertEquals(decode(stdout), "标准输出");
    assertEquals(decode(stderr), "standard error");
    assertEquals([code, signal, success], [4, null, false]);
    assert(rusage.maxrss > 0);
    assertEquals(await (await forkChild(body, streams)).text(), "标准输出");
  }),
);

Deno.test(
  "ChildProcess.output() refuses streams that somebody reads already",
  withoutLeaks(async () => {
    for (const name of ["stdout", "stderr"] as const) {
      await using child = await forkChild(() => {}, { [name]: "piped" });
      const reader = child[name].getReader();
      await assertRejects(
        () => child.output(),
        TypeError,
        `Cannot collect output: '${name}' is locked`,
      );
      assert((await reader.read()).done);
    }
  }),
);

Deno.test(
  "ChildProcess that is disposed of gets SIGTERM, is reaped, and its streams are closed, locked or not",
  withoutLeaks(async () => {
    const child = await forkChild(never, {
      stdin: "piped",
      stdout: "piped",
      stderr: "piped",
    });
    const reader = child.stdout.getReader();
    const pending = reader.read();
    const writer = child.stdin.getWriter();
    await writer.write(new Uint8Array(65_536));
    const held = writer.write(encode("x"));
    const lost = assertRejects(() => held);
    await child[Symbol.asyncDispose]();
    assertEquals((await child.status).signal, "SIGTERM");
    assert(!isRunning(child.pid));
    assert((await pending).done);
    await lost;
    await writer.closed.catch(() => {});
    assertEquals(await new Response(child.stderr).text(), "");
  }),
);

Deno.test(
  "ChildProcess can be disposed of twice, at once too, and after its end",
  withoutLeaks(async () => {
    const child = await forkChild(never, { stdout: "piped" });
    await Promise.all([
      child[Symbol.asyncDispose](),
      child[Symbol.asyncDispose](),
    ]);
    await child[Symbol.asyncDispose]();
    assertEquals((await child.status).signal, "SIGTERM");

    const ended = await forkChild(() => 5, { stdout: "piped" });
    await ended.status;
    await ended[Symbol.asyncDispose]();
    await ended[Symbol.asyncDispose]();
    assertEquals((await ended.status).code, 5);
  }),
);

Deno.test(
  "ChildProcess that is disposed of waits for one that takes its time after SIGTERM",
  withoutLeaks(async () => {
    const [reader, writer] = pipe();
    {
      await using _ = await forkChild(() => {
        Deno.addSignalListener("SIGTERM", () => {
          setTimeout(() => {
            write(writer, "cleaned up");
            Deno.exit(0);
          }, 50);
        });
        write(writer, "ready ");
        return never();
      });
      assertEquals(decode(read(reader, 64)), "ready ");
    }
    close(writer);
    assertEquals(decode(readAll(reader)), "cleaned up");
    close(reader);
  }),
);

Deno.test(
  "ChildProcess.unref() lets the program end while the child runs and a read is pending",
  withoutLeaks(async () => {
    const { code, stdout, stderr } = await runProgram(
      PROGRAM,
      ["unref"],
    );
    const pid = parseInt(stdout);
    assert(isRunning(pid), "the child goes on");
    kill(pid, "SIGKILL");
    assertEquals([code, stdout, stderr], [0, `${pid}\n`, ""]);
  }),
);

Deno.test(
  "ChildProcess.ref() has the program wait for the child after all",
  withoutLeaks(async () => {
    assertEquals(
      await runProgram(PROGRAM, ["ref"]),
      { code: 0, stdout: "status 3\n", stderr: "" },
    );
  }),
);

Deno.test(
  "ChildProcess of the parent is of no use in a child, and neither harms the other",
  withoutLeaks(async () => {
    await using sibling = await forkChild(() => readAll(0).length, {
      stdin: "piped",
      stdout: "piped",
    });
    const child = await forkChild(async () => {
      assertThrows(() => sibling.kill(), TypeError);
      const read = await sibling.stdout.getReader().read().catch((e) => e);
      assert(read.done || read instanceof PosixError);
      await assertRejects(() =>
        sibling.stdin.getWriter().write(encode("mine?"))
      );
    });
    assertEquals((await child.status).code, 0);
    assert(isRunning(sibling.pid));
    await sibling.stdin.close();
    assertEquals((await sibling.status).code, 0);
  }),
);
