import { assert, assertEquals, assertRejects } from "@std/assert";
import { pollOnPool, signalSymbols } from "../../ffi/_symbols.ts";
import { PosixError } from "../../ffi/errors.ts";
import {
  close,
  O_RDONLY,
  open,
  pipe,
  read,
  readableStream,
  readAll,
  write,
} from "../../ipc/mod.ts";
import { planOf, setUpChild } from "../../process/_planned_fork.ts";
import { ChildStdio } from "../../process/_child_fds.ts";
import {
  _exit,
  forkChild,
  type ForkOptions,
  getpgid,
  getpgrp,
  getpid,
  getppid,
  getsid,
  kill,
  SIGNALS,
} from "../../process/mod.ts";
import {
  assertOpenDescriptors,
  children,
  forkWith,
  forkWithAsync,
  openDescriptors,
  readText,
  reap,
  withoutLeaks,
} from "../_helpers.ts";
import { assertRefused, CLOSED_FD, decode } from "../ipc/_helpers.ts";
import { runProgram } from "../_run_program.ts";

const PROGRAM = new URL("./_fork_child_program.ts", import.meta.url);

const never = () => new Promise<void>(() => {});
const nothing = () => {};

/** A set of signals, as /proc shows it. */
function signalSet(field: "SigIgn" | "SigBlk"): bigint {
  const line = new RegExp(`^${field}:\\s*([0-9a-f]+)`, "m");
  return BigInt(`0x${line.exec(readText("/proc/self/status"))![1]}`);
}

const bit = (signal: number) => 1n << BigInt(signal - 1);

Deno.test(
  "forkChild() has the child bear a name",
  withoutLeaks(async () => {
    const child = await forkChild(never, { name: "工人 no. 123" });
    assertEquals(readText(`/proc/${child.pid}/comm`), "工人 no. 123\n");
    await child[Symbol.asyncDispose]();
  }),
);

Deno.test(
  "forkChild() gives the child nothing to read, and what it writes to nobody",
  withoutLeaks(async () => {
    const child = await forkChild(
      () => readAll(0).length + write(1, "abc") + write(2, "de"),
      { stdin: "null", stdout: "null", stderr: "null" },
    );
    assertEquals((await child.status).code, 5);
  }),
);

Deno.test(
  "forkChild() gives the child descriptors as its standard streams, and leaves them open in the parent",
  withoutLeaks(async () => {
    const [inReader, inWriter] = pipe();
    const [outReader, outWriter] = pipe();
    write(inWriter, "question");
    close(inWriter);
    const child = await forkChild(() => {
      write(1, `${decode(readAll(0))}, answer`);
      write(2, "; complaint");
    }, { stdin: inReader, stdout: outWriter, stderr: outWriter });
    assertEquals((await child.status).code, 0);
    close(inReader);
    close(outWriter);
    assertEquals(decode(readAll(outReader)), "question, answer; complaint");
    close(outReader);
  }),
);

Deno.test(
  "forkChild() can exchange standard streams, and take one for two",
  withoutLeaks(async () => {
    const body = () => {
      write(1, "[to 1]");
      write(2, "[to 2]");
    };
    const results: string[] = [];
    for (
      const streams of [
        { stdout: 2, stderr: 1 },
        { stdout: 2 },
        { stderr: 1 },
        { stdout: 1, stderr: 2 },
      ]
    ) {
      const outer = await forkChild(async () => {
        const inner = await forkChild(body, streams);
        return (await inner.status).code;
      }, { stdout: "piped", stderr: "piped" });
      const { code, stdout, stderr } = await outer.output();
      assertEquals(code, 0);
      results.push(`${decode(stdout)} ${decode(stderr)}`);
    }
    assertEquals(results, [
      "[to 2] [to 1]",
      " [to 1][to 2]",
      "[to 1][to 2] ",
      "[to 1] [to 2]",
    ]);
  }),
);

Deno.test(
  "forkChild() opens no descriptor in the child but the standard streams, and those as blocking ones",
  withoutLeaks(async () => {
    const before = openDescriptors();
    const child = await forkChild(() => {
      assertOpenDescriptors(before);
      // Would be EAGAIN.
      return readAll(0).length;
    }, { stdin: "piped", stdout: "piped", stderr: "null" });
    await new Promise((resolve) => setTimeout(resolve, 20));
    await child.stdin.close();
    assertEquals((await child.output()).code, 0);
  }),
);

Deno.test(
  "forkChild() under deno run reaches console, Deno.stdin and Deno.stdout with what is piped",
  withoutLeaks(async () => {
    const { stdout, stderr } = await runProgram(
      PROGRAM,
      ["console"],
    );
    assertEquals(stderr, "");
    assertEquals(JSON.parse(stdout), {
      code: 0,
      out: "read 你好\nwritten\n",
      err: "complained\n",
    });
  }),
);

Deno.test(
  "forkChild() leaves the child no copy of the streams that it redirects",
  withoutLeaks(async () => {
    // The program's output ends though its child lives on.
    const { stdout, stderr } = await runProgram(
      PROGRAM,
      ["detached"],
    );
    assertEquals(stderr, "");
    const pid = parseInt(stdout);
    kill(pid, 0);
    kill(pid, "SIGKILL");
  }),
);

Deno.test(
  "forkChild() has the child die with its parent",
  withoutLeaks(async () => {
    const [reader, writer] = pipe();
    const child = await forkChild(async () => {
      const grandchild = await forkChild(never, {
        parentDeathSignal: "SIGKILL",
      });
      write(writer, String(grandchild.pid));
      _exit(0);
    });
    close(writer);
    assertEquals((await child.status).code, 0);
    // The pipe ends when the grandchild, which has it too, is dead.
    const pid = parseInt(await new Response(readableStream(reader)).text());
    assert(pid > 0);
  }),
);

Deno.test(
  "forkChild() has the child die at once whose parent was dead before the kernel knew of the wish",
  withoutLeaks(() => {
    const plan = planOf({ parentDeathSignal: "SIGUSR2" });
    const child = forkWith(() => {
      setUpChild(plan, new ChildStdio(plan.stdio), undefined, getppid() + 1);
    });
    assertEquals(reap(child), SIGNALS.SIGUSR2);
  }),
);

Deno.test(
  "forkChild() has the child lead a session, or not",
  withoutLeaks(async () => {
    for (const newSession of [true, false]) {
      await using child = await forkChild(never, { newSession });
      const leads = [getsid(child.pid), getpgid(child.pid)].map((id) =>
        id === child.pid
      );
      assertEquals(leads, [newSession, newSession]);
    }
    await using both = await forkChild(never, {
      newSession: true,
      processGroup: 0,
    });
    assertEquals(getsid(both.pid), both.pid);
  }),
);

Deno.test(
  "forkChild() has the child join a process group, or lead one, before its body runs",
  withoutLeaks(async () => {
    await using leader = await forkChild(
      () => getpgrp() === getpid() ? never() : 1,
      { processGroup: 0 },
    );
    assertEquals(getpgid(leader.pid), leader.pid);
    const group = leader.pid;
    await using member = await forkChild(
      () => getpgrp() === group ? never() : 1,
      { processGroup: group },
    );
    assertEquals(getpgid(member.pid), group);
    assert(getpgrp() !== group);
  }),
);

Deno.test(
  "forkChild() whose child cannot do what is asked is rejected with the system's reason, and leaves nothing",
  withoutLeaks(async () => {
    const before = openDescriptors();
    const error = await assertRejects(
      () => forkChild(nothing, { processGroup: 0x7fff_fffe, stdout: "piped" }),
      PosixError,
      "setpgid failed with EPERM",
    );
    assertEquals([error.code, error.errno, error.syscall], [
      "EPERM",
      1,
      "setpgid",
    ]);
    assert(error.message.startsWith("Cannot "), error.message);
    assertOpenDescriptors(before);
    assertEquals(children(), "");
  }),
);

Deno.test(
  "forkChild() with closeFds lets go of what the child has inherited, but not of what the runtime needs",
  withoutLeaks(async () => {
    const [reader, writer] = pipe();
    const [keptReader, keptWriter] = pipe();
    const inherited = pipe();
    const file = open("/dev/zero", O_RDONLY);
    const child = await forkChild(async () => {
      for (const fd of [reader, file, ...inherited]) {
        assertRefused(() => read(fd, 1), "EBADF", "read");
      }
      assertRefused(() => write(writer, "x"), "EBADF", "write");
      // Nothing that is opened now gets one of those numbers, and everything works.
      const opened = pipe();
      assert(opened.every((fd) => !inherited.includes(fd) && fd !== writer));
      await new Promise((resolve) => setTimeout(resolve, 1));
      assertEquals(await pollOnPool(0n, 0n, 1), 0);
      const grandchild = await forkChild(() => 3, { stdout: "piped" });
      assertEquals((await grandchild.output()).code, 3);
      Deno.addSignalListener("SIGUSR1", () => {
        write(keptWriter, "signal");
        Deno.exit(0);
      });
      write(keptWriter, "ready ");
      return never();
    }, { closeFds: { except: [keptWriter] }, stderr: "inherit" });
    // The child lives, and has none of the writing end.
    close(writer);
    assertEquals(readAll(reader).length, 0);
    close(keptWriter);
    const kept = readableStream(keptReader).getReader();
    assertEquals(decode((await kept.read()).value!), "ready ");
    child.kill("SIGUSR1");
    assertEquals(decode((await kept.read()).value!), "signal");
    assertEquals((await child.status).code, 0);
    assert((await kept.read()).done);
    for (const fd of [reader, file, ...inherited]) close(fd);
  }),
);

Deno.test(
  "forkChild() with closeFds has a child in which all of Deno works",
  withoutLeaks(async () => {
    assertEquals(
      await runProgram(PROGRAM, ["close-fds"]),
      { code: 0, stdout: "timer\nread 24\ncode 0\n", stderr: "" },
    );
  }),
);

Deno.test(
  "forkChild() resets ignored and blocked signals if asked to, but for SIGPIPE",
  withoutLeaks(async () => {
    const child = await forkWithAsync(async () => {
      const { SIGUSR1, SIGUSR2, SIGHUP, SIGPIPE } = SIGNALS;
      const ignore = new BigUint64Array(19);
      ignore[0] = 1n;
      const mask = new BigUint64Array(16);
      mask[0] = bit(SIGHUP);
      for (const signal of [SIGUSR1, SIGUSR2]) {
        assertEquals(signalSymbols().sigaction(signal, ignore, null), 0);
      }
      assertEquals(signalSymbols().pthread_sigmask(2, mask, null), 0);
      for (const resetSignals of [false, true]) {
        const grandchild = await forkChild(() => {
          const ignored = signalSet("SigIgn");
          assertEquals(
            [SIGUSR1, SIGUSR2, SIGPIPE].map((s) => (ignored & bit(s)) !== 0n),
            [!resetSignals, !resetSignals, true],
          );
          assertEquals(signalSet("SigBlk"), resetSignals ? 0n : bit(SIGHUP));
        }, { resetSignals });
        assertEquals((await grandchild.status).code, 0);
      }
    });
    assertEquals(reap(child), 0);
  }),
);

Deno.test(
  "forkChild() refuses wrong and contradictory options before anything has happened",
  withoutLeaks(async () => {
    const wrong: [object, typeof TypeError, string][] = [
      [{ name: 5 }, TypeError, "'name' must be a string"],
      [{ name: "a\0b" }, TypeError, "'name' must not contain NUL"],
      [{ name: "sixteen letters!" }, RangeError, "longer than 15 bytes"],
      [{ name: "名字太长了吧" }, RangeError, "longer than 15 bytes"],
      [{ stdin: "pipe" }, TypeError, `'stdin' must be "inherit", "null"`],
      [{ stdin: null }, TypeError, "'stdin' must be"],
      [{ stdout: true }, TypeError, "'stdout' must be"],
      [{ stderr: -1 }, RangeError, "'stderr'"],
      [{ stdout: 1.5 }, RangeError, "'stdout'"],
      [{ parentDeathSignal: "TERM" }, TypeError, `did you mean "SIGTERM"`],
      [{ parentDeathSignal: 0 }, RangeError, "'parentDeathSignal'"],
      [{ parentDeathSignal: 65 }, RangeError, "'parentDeathSignal'"],
      [{ newSession: 1 }, TypeError, "'newSession' must be a boolean"],
      [{ processGroup: -1 }, RangeError, "'processGroup'"],
      [{ processGroup: "0" }, TypeError, "'processGroup'"],
      [{ closeFds: [3] }, TypeError, "'closeFds' must be a boolean or"],
      [{ closeFds: null }, TypeError, "'closeFds'"],
      [{ closeFds: { except: [3, "4"] } }, TypeError, "'closeFds.except[1]'"],
      [{ closeFds: { except: [-3] } }, RangeError, "'closeFds.except[0]'"],
      [{ resetSignals: "yes" }, TypeError, "'resetSignals' must be a boolean"],
      [
        { newSession: true, processGroup: 7 },
        TypeError,
        "Cannot join process group 7 as 'newSession' makes a group of its own",
      ],
    ];
    for (const [options, type, message] of wrong) {
      await assertRejects(
        () => forkChild(nothing, options as ForkOptions),
        type,
        message,
      );
    }
    for (const options of [null, 5]) {
      await assertRejects(
        () => forkChild(nothing, options as never),
        TypeError,
        "'options' must be an object",
      );
    }
    const error = await assertRejects(
      () => forkChild(nothing, { stdin: "piped", stderr: CLOSED_FD }),
      PosixError,
      `Cannot give descriptor ${CLOSED_FD} to a child`,
    );
    assertEquals(error.code, "EBADF");
  }),
);
