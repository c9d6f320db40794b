import { cString } from "../../ffi/_arguments.ts";
import { readErrno } from "../../ffi/_libc.ts";
import { SIGNAL_NUMBERS } from "../../ffi/_signals.ts";
import {
  descriptorSymbols,
  processSymbols,
  signalSymbols,
  waitSymbols,
} from "../../ffi/_symbols.ts";
import { ERRNO, PosixError } from "../../ffi/errors.ts";
import { RUSAGE, SIGACTION } from "../../ffi/layouts.ts";
import {
  wait,
  wait3,
  wait4,
  waitpid,
  type WaitResult,
  WCONTINUED,
  WNOHANG,
  WNOWAIT,
  WUNTRACED,
} from "../../wait/mod.ts";
import { decodeRusage } from "../../wait/wait.ts";
import { forkWith, readText, until, withoutLeaks } from "../_helpers.ts";
import { Gate, inOwnProcess, send } from "./_children.ts";
import { assert, assertEquals, assertThrows } from "@std/assert";

Deno.test(
  "wait() reaps whichever child ends, until there are none and it throws ECHILD",
  withoutLeaks(() =>
    inOwnProcess(() => {
      const gates = [new Gate(), new Gate()] as const;
      const [first, second] = [gates[0].fork(1), gates[1].fork(2)];
      gates[1].open();
      assertEquals(wait().pid, second);
      gates[0].open();
      assertEquals(wait().pid, first);
      const error = assertThrows(wait, PosixError, "Cannot wait for any child");
      assertEquals([error.code, error.syscall], ["ECHILD", "wait"]);
    })
  ),
);

Deno.test(
  "wait() passes over a child that is stopped, and never gives null",
  withoutLeaks(() =>
    inOwnProcess(() => {
      const gate = new Gate();
      const held = gate.fork(0);
      send(held, "SIGSTOP");
      const ended = forkWith(() => 5);
      assertEquals(wait(), {
        pid: ended,
        raw: 0x0500,
        status: { kind: "exited", code: 5 },
      });
      send(held, "SIGKILL");
      assertEquals(wait().pid, held);
      gate.open();
    })
  ),
);

const { dlsym } = Deno.dlopen("libc.so.6", {
  // void *dlsym(void *handle, const char *symbol);
  dlsym: { parameters: ["usize", "buffer"], result: "usize" },
}).symbols;

Deno.test(
  "waitpid() gives a child's exit code",
  withoutLeaks(() => {
    for (const code of [0, 1, 127, 255]) {
      const pid = forkWith(() => code);
      assertEquals(waitpid(pid), {
        pid,
        raw: code << 8,
        status: { kind: "exited", code },
      });
    }
  }),
);

Deno.test(
  "waitpid() gives the signal that killed a child",
  withoutLeaks(() => {
    const gate = new Gate();
    for (const signal of ["SIGKILL", "SIGALRM", "SIGRTMIN+3"] as const) {
      const pid = gate.fork(0);
      send(pid, signal);
      assertEquals(waitpid(pid), {
        pid,
        raw: SIGNAL_NUMBERS[signal],
        status: { kind: "signaled", signal, coreDumped: false },
      });
    }
    gate.open();
  }),
);

Deno.test(
  "waitpid() tells stopped from continued, and both only if asked",
  withoutLeaks(async () => {
    const gate = new Gate();
    const pid = gate.fork(4);
    send(pid, "SIGSTOP");
    assertEquals(waitpid(pid, WUNTRACED), {
      pid,
      raw: 0x137f,
      status: { kind: "stopped", signal: "SIGSTOP" },
    });
    send(pid, "SIGCONT");
    assertEquals(waitpid(pid, WNOHANG | WUNTRACED), null);
    assertEquals(waitpid(pid, WCONTINUED), {
      pid,
      raw: 0xffff,
      status: { kind: "continued" },
    });
    gate.open();
    let result: WaitResult | null = null;
    await until(() => (result = waitpid(pid, WNOHANG | WCONTINUED)) !== null);
    assertEquals(result, {
      pid,
      raw: 0x0400,
      status: { kind: "exited", code: 4 },
    });
  }),
);

Deno.test(
  "waitpid() returns null with WNOHANG while the child runs",
  withoutLeaks(() => {
    const gate = new Gate();
    const pid = gate.fork(0);
    assertEquals(waitpid(pid, WNOHANG), null);
    assertEquals(waitpid(0, WNOHANG), null);
    gate.open();
    assertEquals(waitpid(pid)?.raw, 0);
  }),
);

Deno.test(
  "waitpid() throws ECHILD where there is no such child, with WNOHANG too",
  withoutLeaks(() => {
    const reaped = forkWith(() => 0);
    waitpid(reaped);
    const own = processSymbols().getpid();
    for (const pid of [reaped, own, 1, -reaped]) {
      for (const options of [0, WNOHANG]) {
        const error = assertThrows(() => waitpid(pid, options), PosixError);
        assertEquals([error.code, error.syscall], ["ECHILD", "waitpid"]);
      }
    }
    inOwnProcess(() => {
      for (const pid of [-1, 0]) {
        const error = assertThrows(() => waitpid(pid, WNOHANG), PosixError);
        assertEquals(error.code, "ECHILD");
      }
    });
  }),
);

Deno.test(
  "waitpid() says in its error which children were meant",
  withoutLeaks(() =>
    inOwnProcess(() => {
      const cases = [
        [1, "Cannot wait for child 1: waitpid failed with ECHILD"],
        [-1, "Cannot wait for any child: "],
        [0, "Cannot wait for a child of the caller's process group: "],
        [-77, "Cannot wait for a child of process group 77: "],
      ] as const;
      for (const [pid, message] of cases) {
        assertThrows(() => waitpid(pid), PosixError, message);
      }
    })
  ),
);

Deno.test(
  "waitpid() takes 0, -1 and negative pids as POSIX says",
  withoutLeaks(() =>
    inOwnProcess(() => {
      const gate = new Gate();
      const [same, other] = [gate.fork(1), gate.fork(2)];
      assertEquals(processSymbols().setpgid(other, other), 0);
      gate.open();
      assertEquals(waitpid(0)?.pid, same);
      const error = assertThrows(() => waitpid(0), PosixError);
      assertEquals(error.code, "ECHILD");
      assertEquals(waitpid(-other)?.pid, other);
      const last = forkWith(() => 3);
      assertEquals(waitpid(-1)?.pid, last);
    })
  ),
);

Deno.test(
  "waitpid() throws EINVAL for unknown options and ESRCH for the lowest pid",
  withoutLeaks(() => {
    const gate = new Gate();
    const pid = gate.fork(0);
    for (const options of [0x10, 0x10 | WNOHANG, WNOWAIT]) {
      const error = assertThrows(() => waitpid(pid, options), PosixError);
      assertEquals(error.code, "EINVAL");
    }
    gate.open();
    assertEquals(waitpid(pid)?.raw, 0);
    const error = assertThrows(() => waitpid(-(2 ** 31)), PosixError);
    assertEquals(error.code, "ESRCH");
  }),
);

Deno.test("waitpid() refuses arguments that are no C int", () => {
  assertThrows(() => waitpid("1" as never), TypeError, `'pid'`);
  assertThrows(() => waitpid(2 ** 32 + 1), RangeError, "4294967297");
  assertThrows(() => waitpid(1.5), RangeError, "1.5");
  assertThrows(() => waitpid(1, null as never), TypeError, `'options'`);
  assertThrows(() => waitpid(1, 2 ** 31), RangeError, `'options'`);
});

Deno.test(
  "waitpid() goes on waiting when a signal handler interrupts it",
  withoutLeaks(() =>
    inOwnProcess(() => {
      // A handler that does nothing, installed without SA_RESTART: getppid() takes no notice of its argument.
      const action = new BigUint64Array(SIGACTION.size / 8);
      action[0] = dlsym(0n, cString("getppid", "name"));
      assertEquals(
        signalSymbols().sigaction(SIGNAL_NUMBERS.SIGUSR1, action, null),
        0,
      );
      const parent = processSymbols().getpid();
      const pid = forkWith(() => {
        for (let i = 0; i < 50; i++) {
          send(parent, "SIGUSR1");
          descriptorSymbols().poll(null, 0n, 1);
        }
        return 6;
      });
      const raw = waitSymbols().waitpid(pid, null, 0);
      assertEquals([raw, readErrno()], [-1, ERRNO.EINTR]);
      assertEquals(waitpid(pid)?.raw, 0x0600);
    })
  ),
);

Deno.test(
  "wait3() gives any child's end and usage, null while all run, ECHILD when there are none",
  withoutLeaks(() =>
    inOwnProcess(() => {
      const gate = new Gate();
      const pid = gate.fork(3);
      assertEquals(wait3(WNOHANG), null);
      gate.open();
      const result = wait3()!;
      assertEquals([result.pid, result.raw], [pid, 0x0300]);
      assertEquals(result.status, { kind: "exited", code: 3 });
      assert(result.rusage.maxrss > 0);
      for (const options of [0, WNOHANG]) {
        const error = assertThrows(() => wait3(options), PosixError);
        assertEquals([error.code, error.syscall], ["ECHILD", "wait3"]);
      }
    })
  ),
);

Deno.test(
  "wait3() takes the options of waitpid()",
  withoutLeaks(() =>
    inOwnProcess(() => {
      const pid = forkWith(() => send(processSymbols().getpid(), "SIGSTOP"));
      assertEquals(wait3(WUNTRACED)?.raw, 0x137f);
      send(pid, "SIGKILL");
      assertEquals(wait3()?.raw, 9);
      assertThrows(() => wait3(0.5), RangeError, `'options'`);
      const gate = new Gate();
      const held = gate.fork(0);
      const error = assertThrows(() => wait3(0x10), PosixError);
      assertEquals(error.code, "EINVAL");
      gate.open();
      assertEquals(wait3()?.pid, held);
    })
  ),
);

const { clock } = Deno.dlopen("libc.so.6", {
  // clock_t clock(void); the CPU time of the process in microseconds
  clock: { parameters: [], result: "i64" },
}).symbols;

/** Forks a child that spends so much CPU time of its own. */
function forkBusy(microseconds: bigint, code: number): number {
  return forkWith(() => {
    for (let sum = 0; clock() < microseconds; sum++);
    return code;
  });
}

Deno.test(
  "wait4() gives the figures of the given child of two",
  withoutLeaks(() => {
    const busy = forkBusy(80_000n, 1);
    const idle = forkWith(() => 2);
    const quiet = wait4(idle)!;
    const loud = wait4(busy)!;
    assertEquals([quiet.pid, quiet.raw], [idle, 0x0200]);
    assertEquals([loud.pid, loud.raw], [busy, 0x0100]);
    assertEquals(loud.status, { kind: "exited", code: 1 });
    const seconds = loud.rusage.utime + loud.rusage.stime;
    assert(seconds >= 0.08 && seconds < 1, `${seconds} s`);
    assert(quiet.rusage.utime + quiet.rusage.stime < seconds);
  }),
);

Deno.test(
  "wait4() gives the largest resident size in KiB",
  withoutLeaks(() => {
    const pid = forkWith(() => {
      const memory = new Uint8Array(48 << 20).fill(1);
      send(processSymbols().getpid(), "SIGSTOP");
      return memory[12345]! - 1;
    });
    assertEquals(wait4(pid, WUNTRACED)?.raw, 0x137f);
    // The kernel's own figure.
    const status = readText(`/proc/${pid}/status`);
    const expected = Number(/VmHWM:\s+(\d+) kB/.exec(status)?.[1]);
    send(pid, "SIGCONT");
    const { raw, rusage } = wait4(pid)!;
    assertEquals(raw, 0);
    assert(expected > 48 * 1024, `${expected} KiB`);
    const ratio = rusage.maxrss / expected;
    assert(ratio > 0.95 && ratio < 1.2, `${rusage.maxrss} of ${expected}`);
    assert(rusage.minflt >= (48 << 20) / 2 ** 21, `${rusage.minflt} faults`);
  }),
);

Deno.test(
  "wait4() returns null with WNOHANG while the child runs, and throws ECHILD after it is reaped",
  withoutLeaks(() => {
    const gate = new Gate();
    const pid = gate.fork(0);
    assertEquals(wait4(pid, WNOHANG), null);
    gate.open();
    assertEquals(wait4(pid)?.raw, 0);
    const error = assertThrows(() => wait4(pid, WNOHANG), PosixError);
    assertEquals([error.code, error.syscall], ["ECHILD", "wait4"]);
    assertEquals(
      error.message,
      `Cannot wait for child ${pid}: wait4 failed with ECHILD (No child processes)`,
    );
  }),
);

Deno.test("wait4() refuses arguments that are no C int", () => {
  assertThrows(() => wait4(undefined as never), TypeError, `'pid'`);
  assertThrows(() => wait4(2 ** 31), RangeError, `'pid'`);
  assertThrows(() => wait4(1, -(2 ** 40)), RangeError, `'options'`);
});

Deno.test("Rusage has every field of struct rusage, times in seconds", () => {
  const view = new DataView(new ArrayBuffer(RUSAGE.size));
  const put = (offset: number, value: bigint) =>
    view.setBigInt64(offset, value, true);
  put(RUSAGE.fields.ru_utime, 3n);
  put(RUSAGE.fields.ru_utime + 8, 250_000n);
  put(RUSAGE.fields.ru_stime, 0n);
  put(RUSAGE.fields.ru_stime + 8, 1n);
  const counts = Object.entries(RUSAGE.fields).filter(([name]) =>
    !name.endsWith("time")
  );
  counts.forEach(([, offset], index) => put(offset, 2n ** 40n + BigInt(index)));
  assertEquals(
    { ...decodeRusage(new Uint32Array(view.buffer)) },
    Object.fromEntries([
      ["utime", 3.25],
      ["stime", 0.000001],
      ...counts.map(([name], index) => [name.slice(3), 2 ** 40 + index]),
    ]),
  );
});
