import { assertEquals, assertThrows } from "@std/assert";
import { SYS_pidfd_open } from "../../ffi/constants.ts";
import { PosixError } from "../../ffi/errors.ts";
import {
  descriptorSymbols,
  processSymbols,
  waitSymbols,
} from "../../ffi/_symbols.ts";
import { decodeSiginfo } from "../../wait/waitid.ts";
import {
  waitid,
  type WaitidResult,
  waitpid,
  WCONTINUED,
  WEXITED,
  WNOHANG,
  WNOWAIT,
  WSTOPPED,
} from "../../wait/mod.ts";
import { forkWith, withoutLeaks } from "../_helpers.ts";
import { Gate, inOwnProcess, send } from "./_children.ts";

const libc = Deno.dlopen("libc.so.6", {
  getuid: { parameters: [], result: "u32" },
  // long ptrace(enum __ptrace_request request, pid_t pid, void *addr, void *data);
  ptrace: { parameters: ["i32", "i32", "usize", "usize"], result: "i64" },
}).symbols;
const PTRACE_TRACEME = 0;

function openPidfd(pid: number, flags = 0): number {
  return waitSymbols().pidfd_open(BigInt(SYS_pidfd_open), pid, flags);
}

Deno.test(
  "waitid() tells who has exited with which code",
  withoutLeaks(() => {
    const pid = forkWith(() => 255);
    assertEquals(waitid("P_PID", pid, WEXITED), {
      pid,
      uid: libc.getuid(),
      code: "exited",
      siStatus: 255,
      status: { kind: "exited", code: 255 },
    });
  }),
);

Deno.test(
  "waitid() tells stopped, continued and killed, each only if asked",
  withoutLeaks(() => {
    const gate = new Gate();
    const pid = gate.fork(0);
    const uid = libc.getuid();
    send(pid, "SIGSTOP");
    assertEquals(waitid("P_PID", pid, WSTOPPED), {
      pid,
      uid,
      code: "stopped",
      siStatus: 19,
      status: { kind: "stopped", signal: "SIGSTOP" },
    });
    send(pid, "SIGCONT");
    assertEquals(waitid("P_PID", pid, WEXITED | WSTOPPED | WNOHANG), null);
    assertEquals(waitid("P_PID", pid, WCONTINUED), {
      pid,
      uid,
      code: "continued",
      siStatus: 18,
      status: { kind: "continued" },
    });
    send(pid, "SIGKILL");
    assertEquals(waitid("P_PID", pid, WEXITED), {
      pid,
      uid,
      code: "killed",
      siStatus: 9,
      status: { kind: "signaled", signal: "SIGKILL", coreDumped: false },
    });
    gate.open();
  }),
);

Deno.test(
  "waitid() tells that a traced child has trapped",
  withoutLeaks(() => {
    const pid = forkWith(() => {
      libc.ptrace(PTRACE_TRACEME, 0, 0n, 0n);
      send(processSymbols().getpid(), "SIGTSTP");
    });
    const result = waitid("P_PID", pid, WSTOPPED);
    send(pid, "SIGKILL");
    assertEquals(waitpid(pid)?.raw, 9);
    assertEquals(result, {
      pid,
      uid: libc.getuid(),
      code: "trapped",
      siStatus: 20,
      status: { kind: "stopped", signal: "SIGTSTP" },
    });
  }),
);

Deno.test("waitid() decodes every si_code", () => {
  const decode = (code: number, siStatus: number) => {
    const info = new Int32Array(32);
    info.set([17, 0, code, 0, 1234, -2, siStatus]);
    const result = decodeSiginfo(info) as WaitidResult;
    assertEquals([result.pid, result.uid], [1234, 0xfffffffe]);
    assertEquals(result.siStatus, siStatus);
    return [result.code, result.status];
  };
  assertEquals(decode(1, 3), ["exited", { kind: "exited", code: 3 }]);
  assertEquals(decode(2, 37), [
    "killed",
    { kind: "signaled", signal: "SIGRTMIN+3", coreDumped: false },
  ]);
  assertEquals(decode(3, 6), [
    "dumped",
    { kind: "signaled", signal: "SIGABRT", coreDumped: true },
  ]);
  assertEquals(decode(4, 0x305), [
    "trapped",
    { kind: "stopped", signal: "SIGTRAP" },
  ]);
  assertEquals(decode(5, 19), [
    "stopped",
    { kind: "stopped", signal: "SIGSTOP" },
  ]);
  assertEquals(decode(6, 18), ["continued", { kind: "continued" }]);
  assertEquals(decodeSiginfo(new Int32Array(32)), null);
});

Deno.test(
  "waitid() leaves the child waitable with WNOWAIT",
  withoutLeaks(() => {
    const pid = forkWith(() => 7);
    for (let i = 0; i < 3; i++) {
      assertEquals(waitid("P_PID", pid, WEXITED | WNOWAIT)?.siStatus, 7);
    }
    assertEquals(waitpid(pid)?.raw, 0x0700);
  }),
);

Deno.test(
  "waitid() returns null with WNOHANG while the child runs, after an earlier result too",
  withoutLeaks(() => {
    const ended = forkWith(() => 1);
    assertEquals(waitid("P_PID", ended, WEXITED)?.pid, ended);
    const gate = new Gate();
    const pid = gate.fork(0);
    assertEquals(waitid("P_PID", pid, WEXITED | WNOHANG), null);
    gate.open();
    assertEquals(waitid("P_PID", pid, WEXITED)?.siStatus, 0);
  }),
);

Deno.test(
  "waitid() waits for any child, a process group, or what a pidfd refers to",
  withoutLeaks(() =>
    inOwnProcess(() => {
      const gate = new Gate();
      const pids = [gate.fork(1), gate.fork(2), gate.fork(3), gate.fork(4)];
      const [any, group, own, byPidfd] = pids as [
        number,
        number,
        number,
        number,
      ];
      processSymbols().setpgid(group, group);
      const pidfd = openPidfd(byPidfd);
      gate.open();
      assertEquals(waitid("P_PIDFD", pidfd, WEXITED)?.pid, byPidfd);
      descriptorSymbols().close(pidfd);
      assertEquals(waitid("P_PGID", group, WEXITED)?.pid, group);
      assertEquals(waitid("P_PID", any, WEXITED)?.pid, any);
      assertEquals(waitid("P_PGID", 0, WEXITED)?.pid, own);
      const last = forkWith(() => 5);
      assertEquals(waitid("P_ALL", 0, WEXITED)?.pid, last);
      const error = assertThrows(
        () => waitid("P_ALL", 0, WEXITED | WNOHANG),
        PosixError,
        "Cannot wait for any child: waitid failed with ECHILD",
      );
      assertEquals(error.code, "ECHILD");
    })
  ),
);

Deno.test(
  "waitid() throws what the kernel refuses",
  withoutLeaks(() => {
    const gate = new Gate();
    const pid = gate.fork(0);
    const nonblocking = openPidfd(pid, 0o4000);
    const code = (...args: Parameters<typeof waitid>) =>
      assertThrows(() => waitid(...args), PosixError).code;
    assertEquals(code("P_PID", pid, 0), "EINVAL");
    assertEquals(code("P_PID", pid, WNOHANG), "EINVAL");
    assertEquals(code("P_PID", pid, WEXITED | 0x10), "EINVAL");
    assertEquals(code("P_PID", 0, WEXITED), "EINVAL");
    assertEquals(code("P_PID", 1, WEXITED), "ECHILD");
    assertEquals(code("P_PGID", pid, WEXITED), "ECHILD");
    assertEquals(code("P_PIDFD", 0x7fffffff, WEXITED), "EBADF");
    assertEquals(code("P_PIDFD", nonblocking, WEXITED), "EAGAIN");
    descriptorSymbols().close(nonblocking);
    const notAPidfd = openNull();
    assertEquals(code("P_PIDFD", notAPidfd, WEXITED), "EBADF");
    descriptorSymbols().close(notAPidfd);
    gate.open();
    assertEquals(waitpid(pid)?.raw, 0);
  }),
);

/** A descriptor that is no pidfd. */
function openNull(): number {
  return descriptorSymbols().open(
    new TextEncoder().encode("/dev/null\0"),
    0o2000000,
    0,
  );
}

Deno.test("waitid() refuses wrong arguments", () => {
  assertThrows(
    () => waitid("P_PIDS" as never, 1, WEXITED),
    TypeError,
    `'idType' is unknown: current value is "P_PIDS", did you mean "P_PID"`,
  );
  assertThrows(() => waitid(1 as never, 1, WEXITED), TypeError, `'idType'`);
  assertThrows(() => waitid("P_PID", -1, WEXITED), RangeError, `'id'`);
  assertThrows(() => waitid("P_PID", 2 ** 31, WEXITED), RangeError, `'id'`);
  assertThrows(() => waitid("P_ALL", "" as never, WEXITED), TypeError, `'id'`);
  assertThrows(() => waitid("P_PID", 1, 1.5), RangeError, `'options'`);
});
