import { assertEquals, assertThrows } from "@std/assert";
import { SIGACTION } from "../../ffi/layouts.ts";
import { ERRNO, PosixError } from "../../ffi/errors.ts";
import { readErrno } from "../../ffi/_libc.ts";
import { SIGNAL_NUMBERS } from "../../ffi/_signals.ts";
import { cString } from "../../ffi/_arguments.ts";
import {
  descriptorSymbols,
  processSymbols,
  signalSymbols,
  waitSymbols,
} from "../../ffi/_symbols.ts";
import {
  waitpid,
  type WaitResult,
  WCONTINUED,
  WNOHANG,
  WNOWAIT,
  WUNTRACED,
} from "../../wait/mod.ts";
import { forkWith, until, withoutLeaks } from "../_helpers.ts";
import { Gate, inOwnProcess, send } from "./_children.ts";

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
