import { execlp, spawn } from "../../exec/mod.ts";
import { pollOnPool } from "../../ffi/_symbols.ts";
import { PosixError } from "../../ffi/errors.ts";
import {
  close,
  isatty,
  O_NOCTTY,
  O_RDWR,
  open,
  openpty,
  pipe,
  read,
  readableStream,
  readAll,
  tcgetwinsize,
  write,
} from "../../ipc/mod.ts";
import {
  _exit,
  ChildProcess,
  forkChild,
  forkpty,
  getpgrp,
  getpid,
  getppid,
  getrlimit,
  getsid,
  setrlimit,
} from "../../process/mod.ts";
import {
  assertOpenDescriptors,
  children,
  directoryEntries,
  forkWith,
  forkWithAsync,
  openDescriptors,
  reap,
  withoutLeaks,
} from "../_helpers.ts";
import { libc } from "../_libc.ts";
import { assertProgramSays, runProgram } from "../_run_program.ts";
import { leaveDescriptors, lowestFree } from "../ipc/_helpers.ts";
import {
  assert,
  assertEquals,
  assertRejects,
  assertStringIncludes,
  assertThrows,
} from "@std/assert";

const MANY = new URL("./_many_forks_program.ts", import.meta.url);
const PROGRAM = new URL("./_fork_child_program.ts", import.meta.url);

const never = () => new Promise<void>(() => {});
const program = (mode: string) => runProgram(PROGRAM, [mode]);

/** Collects what this process and its children write to a pipe. */
async function gather(
  body: (tell: (text: string) => void) => Promise<void>,
): Promise<string[]> {
  const [reader, writer] = pipe();
  await body((text) => void write(writer, `${text};`));
  close(writer);
  const text = new TextDecoder().decode(readAll(reader));
  close(reader);
  return text.split(";").slice(0, -1);
}

Deno.test(
  "forkChild() runs the body in a child, and its number is the exit code",
  withoutLeaks(async () => {
    const parent = getpid();
    let number = 100;
    const child = await forkChild(() => {
      number += 10;
      return getppid() === parent && getpid() !== parent ? number : 1;
    });
    assert(child instanceof ChildProcess);
    assert(child.pid > 0 && child.pid !== parent);
    assertEquals((await child.status).code, 110);
    assertEquals(number, 100);
  }),
);

Deno.test(
  "forkChild() gives an asynchronous body an event loop and a thread pool",
  withoutLeaks(async () => {
    const child = await forkChild(async () => {
      await new Promise((resolve) => setTimeout(resolve, 1));
      return await pollOnPool(0n, 0n, 1) + 5;
    });
    assertEquals((await child.status).code, 5);
  }),
);

Deno.test(
  "forkChild() ends the child with 0 to 255, with Deno.exitCode for nothing, or by Deno.exit()",
  withoutLeaks(async () => {
    const bodies: [() => number | void | Promise<number>, number][] = [
      [() => 0, 0],
      [() => 255, 255],
      [() => Promise.resolve(3), 3],
      [() => {}, 0],
      [() => void (Deno.exitCode = 7), 7],
      [() => Deno.exit(11), 11],
      [() => Deno.exit(), 0],
    ];
    for (const [body, code] of bodies) {
      assertEquals((await (await forkChild(body)).status).code, code);
    }
  }),
);

Deno.test(
  "forkChild() ends the child with 1 when the body fails, now or later, or gives no exit code",
  withoutLeaks(async () => {
    const fail = () => {
      throw new Error("expected");
    };
    const bodies: (() => unknown)[] = [
      fail,
      async () => {
        await new Promise((resolve) => setTimeout(resolve, 1));
        fail();
      },
      () => {
        setTimeout(fail);
        return never();
      },
      () => {
        Promise.reject("expected");
        return never();
      },
      ...[256, -1, 1.5, NaN, "x", null, {}].map((result) => () => result),
    ];
    for (const body of bodies) {
      const child = await forkChild(() => {
        console.error = () => {};
        return body() as number;
      });
      assertEquals((await child.status).code, 1, `${body}`);
    }
  }),
);

Deno.test(
  "forkChild() never comes back in the child, nor does what else was called at the time",
  withoutLeaks(async () => {
    const told = await gather(async (tell) => {
      const calls = [1, 2, 3].map((number) =>
        forkChild(() => tell(`body ${number}`))
      );
      tell("after the call");
      Promise.resolve().then(() => tell("microtask"));
      const all = await Promise.all(calls);
      tell("after the await");
      await Promise.all(all.map(({ status }) => status));
    });
    assertEquals(told.sort(), [
      "after the await",
      "after the call",
      "body 1",
      "body 2",
      "body 3",
      "microtask",
    ]);
  }),
);

Deno.test(
  "forkChild() works in a child",
  withoutLeaks(async () => {
    const child = await forkChild(async () => {
      const grandchild = await forkChild(async () => {
        const last = await forkChild(() => 5);
        return (await last.status).code + 1;
      });
      return (await grandchild.status).code + 1;
    });
    assertEquals((await child.status).code, 7);
  }),
);

Deno.test(
  "forkChild() keeps a child alive whose body waits for nothing, until it is killed",
  withoutLeaks(async () => {
    const child = await forkChild(never);
    await new Promise((resolve) => setTimeout(resolve, 50));
    child.kill();
    assertEquals((await child.status).signal, "SIGTERM");
  }),
);

Deno.test(
  "forkChild() makes 20 children at once, without a thread for each",
  withoutLeaks(async () => {
    const threads = () => directoryEntries("/proc/self/task").length;
    await (await forkChild(() => {})).status;
    const before = threads();
    const [reader, writer] = pipe();
    const all = await Promise.all(
      Array.from({ length: 20 }, (_, index) =>
        forkChild(() => {
          close(writer);
          readAll(reader);
          return index;
        })),
    );
    const during = threads();
    close(writer);
    close(reader);
    const statuses = await Promise.all(all.map(({ status }) => status));
    assertEquals(statuses.map(({ code }) => code), all.map((_, i) => i));
    assert(during <= before + 3, `${during} threads after ${before}`);
  }),
);

Deno.test(
  "forkChild() refuses a body that is no function",
  withoutLeaks(async () => {
    for (const body of [undefined, null, "f", {}]) {
      await assertRejects(
        () => forkChild(body as never),
        TypeError,
        "'body' must be a function",
      );
    }
  }),
);

Deno.test(
  "forkChild() that cannot fork, or not wait, leaves no child and no descriptor behind",
  withoutLeaks(async () => {
    const child = await forkWithAsync(async () => {
      const options = { stdin: "piped", stdout: "piped" } as const;
      // With each further descriptor, it fails at a later point.
      for (let free = 0; free < 40; free++) {
        const before = openDescriptors();
        const grandchild = await forkWithAsync(async () => {
          const limits = getrlimit("RLIMIT_NOFILE");
          setrlimit("RLIMIT_NOFILE", {
            soft: lowestFree(free + 1)[free]!,
            hard: limits.hard,
          });
          const outcome = await forkChild(never, options).then(
            (child) => child[Symbol.asyncDispose](),
            (error: PosixError) => error.code,
          );
          setrlimit("RLIMIT_NOFILE", limits);
          assertOpenDescriptors(before);
          assertEquals(children(), "");
          if (outcome === undefined) return 0;
          assertEquals(outcome, "EMFILE");
          return 1;
        });
        const raw = reap(grandchild);
        if (raw === 0) return free > 5 ? 0 : 2;
        assertEquals(raw, 1 << 8, `${free} free descriptors`);
      }
      return 3;
    });
    assertEquals(reap(child), 0);
  }),
);

Deno.test(
  "forkChild() that the system refuses is rejected with EAGAIN and leaves nothing behind",
  withoutLeaks(async () => {
    const child = await forkWithAsync(async () => {
      await pollOnPool(0n, 0n, 1);
      libc.setresuid(65534, 65534, 65534);
      libc.prctl(4, 1n, 0n, 0n, 0n);
      setrlimit("RLIMIT_NPROC", { soft: 0, hard: 0 });
      const before = openDescriptors();
      const error = await assertRejects(
        () => forkChild(() => {}, { stdout: "piped" }),
        PosixError,
      );
      assertEquals([error.code, error.syscall], ["EAGAIN", "fork"]);
      assertOpenDescriptors(before);
    });
    assertEquals(reap(child), 0);
  }),
);

Deno.test(
  "forkChild() under deno run has Deno print what is not caught, as it does for any program",
  withoutLeaks(async () => {
    const modes = ["plain", "throws", "rejects", "throws-in-timer"];
    const [plain, ...others] = await Promise.all(modes.map(program));
    assertEquals(plain!.code, 1);
    const untilFirstFrame = (text: string) =>
      text.slice(0, text.indexOf("\n", text.indexOf("    at fail")));
    const expected = untilFirstFrame(plain!.stderr);
    assertStringIncludes(expected, "error: Uncaught (in promise) Error: boom");
    const inTimer = others.pop()!;
    for (const { code, stdout, stderr } of others) {
      assertEquals([code, stdout], [0, "code 1\nunload\n"]);
      assertEquals(untilFirstFrame(stderr), expected);
    }
    assertEquals(inTimer.stdout, "code 1\nunload\n");
    assertStringIncludes(inTimer.stderr, "error: Uncaught Error: boom");
  }),
);

Deno.test(
  "forkChild() under deno run ends the child by Deno's own way out, unload listeners included",
  withoutLeaks(async () => {
    const codes = { number: 9, nothing: 0, "exit-code": 7, exit: 11 };
    const modes = Object.keys(codes);
    assertEquals(
      await Promise.all(modes.map(program)),
      Object.values(codes).map((code) => ({
        code: 0,
        stdout: `unload\ncode ${code}\nunload\n`,
        stderr: "",
      })),
    );
  }),
);

Deno.test(
  "forkChild() under deno run says what is wrong with a result that is no exit code",
  withoutLeaks(async () => {
    const { stdout, stderr } = await program("too-large");
    assertEquals(stdout, "code 1\nunload\n");
    assertStringIncludes(
      stderr,
      "RangeError: 'body()' must be an integer from 0 to 255: current value is 256",
    );
  }),
);

Deno.test(
  "forkChild() ends a child with 1 though the program's own listener takes care of rejections",
  withoutLeaks(async () => {
    assertEquals(
      await program("prevented"),
      { code: 0, stdout: "1\n", stderr: "" },
    );
  }),
);

Deno.test(
  "forkChild() 40 times in a row leaves nothing behind",
  withoutLeaks(() => assertProgramSays(MANY, ["fork-child"], "nothing lost\n")),
);

/** Forks a child that runs `body` in a terminal, as `forkWith` does; gives what it prints and its raw status. */
async function inTerminal(
  body: (name: string) => number | void | Promise<number | void>,
  play: (controller: number) => void = () => {},
): Promise<{ text: string; raw: number }> {
  const { pid, controller, name } = forkpty({ columns: 80, rows: 24 });
  if (pid === 0) {
    try {
      assertEquals(controller, -1);
      _exit(await body(name) ?? 0);
    } catch (error) {
      write(2, String(error));
    }
    _exit(99);
  }
  play(controller);
  const text = await new Response(readableStream(controller)).text();
  return { text, raw: reap(pid) };
}

Deno.test(
  "forkpty() gives the child a controlling terminal that is its standard streams, in a session of its own",
  withoutLeaks(async () => {
    const { text, raw } = await inTerminal((name) => {
      assertEquals([getsid(), getpgrp()], [getpid(), getpid()]);
      assertEquals([0, 1, 2].map(isatty), [true, true, true]);
      assertEquals(tcgetwinsize(1).columns, 80);
      const own = open("/dev/tty", O_RDWR | O_NOCTTY);
      write(own, `this is ${name}\n`);
    });
    assert(/^this is \/dev\/pts\/\d+\r\n$/.test(text), text);
    assertEquals(raw, 0);
  }),
);

Deno.test(
  "forkpty() leaves the child no other descriptor of the terminal",
  withoutLeaks(async () => {
    const before = openDescriptors().length;
    const { raw } = await inTerminal(() =>
      // One more or less would be the code.
      openDescriptors().length - before
    );
    assertEquals(raw, 0);
  }),
);

Deno.test(
  "forkpty() gives the child a terminal to read from, also through Deno.stdin",
  withoutLeaks(async () => {
    const { text, raw } = await inTerminal(async () => {
      const buffer = new Uint8Array(100);
      const count = await Deno.stdin.read(buffer);
      write(1, `read ${new TextDecoder().decode(buffer.subarray(0, count!))}`);
      assertEquals(Deno.stdin.isTerminal(), true);
    }, (controller) => write(controller, "a line\r"));
    assertEquals(text, "a line\r\nread a line\r\n");
    assertEquals(raw, 0);
  }),
);

Deno.test(
  "forkpty() gives its terminal to programs that the child becomes or starts",
  withoutLeaks(async () => {
    for (
      const body of [
        () => execlp("tty", "tty"),
        async () => (await spawn("tty").status).code,
      ]
    ) {
      const { text, raw } = await inTerminal(body);
      assert(/^\/dev\/pts\/\d+\r\n$/.test(text), text);
      assertEquals(raw, 0);
    }
  }),
);

Deno.test(
  "forkpty() sends the child SIGHUP when its terminal is closed",
  withoutLeaks(() => {
    const { pid, controller } = forkpty();
    if (pid === 0) {
      write(1, "!");
      try {
        for (;;) read(0, 1);
      } finally {
        _exit(99);
      }
    }
    read(controller, 1);
    close(controller);
    assertEquals(reap(pid), 1);
  }),
);

Deno.test(
  "forkpty() leaves nothing open where it fails",
  withoutLeaks(() => {
    const raw = reap(forkWith(() => {
      // Enough for the terminal, and too few for the fork.
      leaveDescriptors(2);
      assertThrows(() => forkpty(), PosixError, "EMFILE");
      const { controller, terminal } = openpty();
      close(controller);
      close(terminal);
    }));
    assertEquals(raw, 0);
    assertThrows(() => forkpty({ columns: -1, rows: 0 }), RangeError);
    // @ts-expect-error -- the point is to pass what the types forbid
    assertThrows(() => forkpty(80), TypeError, "'size' must be an object");
  }),
);
