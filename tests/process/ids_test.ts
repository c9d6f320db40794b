import { execv } from "../../exec/exec.ts";
import { descriptorSymbols } from "../../ffi/_symbols.ts";
import { O_CLOEXEC, WEXITED, WNOWAIT, WUNTRACED } from "../../ffi/constants.ts";
import { PosixError } from "../../ffi/errors.ts";
import { close, openpty, pipe } from "../../ipc/mod.ts";
import {
  getpgid,
  getpgrp,
  getpid,
  getppid,
  getsid,
  setpgid,
  setsid,
  tcgetpgrp,
  tcsetpgrp,
} from "../../process/ids.ts";
import { kill } from "../../process/kill.ts";
import { waitpid } from "../../wait/wait.ts";
import { waitid } from "../../wait/waitid.ts";
import { forkWith, readText, reap, withoutLeaks } from "../_helpers.ts";
import { libc } from "../ipc/_libc.ts";
import { withSleeper } from "./_sleeper.ts";
import { stat } from "./_stat.ts";
import { assertEquals, assertNotEquals, assertThrows } from "@std/assert";

Deno.test("getpid() is the pid that Deno and the kernel know", () => {
  assertEquals(getpid(), Deno.pid);
  assertEquals(getpid(), stat().pid);
});

Deno.test(
  "getpid() is a child's own pid in the child",
  withoutLeaks(() => {
    const parent = getpid();
    const raw = reap(forkWith(() => {
      assertEquals(getpid(), stat().pid);
      assertNotEquals(getpid(), parent);
    }));
    assertEquals(raw, 0);
  }),
);

Deno.test("getppid() is the parent that Deno and the kernel know", () => {
  assertEquals(getppid(), Deno.ppid);
  assertEquals(getppid(), stat().ppid);
});

Deno.test(
  "getppid() is the forking process in a child",
  withoutLeaks(() => {
    const parent = getpid();
    assertEquals(
      reap(forkWith(() => assertEquals(getppid(), parent))),
      0,
    );
  }),
);

Deno.test("getpgrp() is the group that the kernel knows", () => {
  assertEquals(getpgrp(), stat().pgrp);
});

Deno.test("getpgid() without a pid, or with 0, is about the caller", () => {
  assertEquals(getpgid(), stat().pgrp);
  assertEquals(getpgid(0), stat().pgrp);
  assertEquals(getpgid(Deno.pid), stat().pgrp);
});

Deno.test(
  "getpgid() answers for a child",
  withoutLeaks(() =>
    withSleeper((pid) => {
      assertEquals(getpgid(pid), stat(pid).pgrp);
      kill(pid, "SIGKILL");
      reap(pid);
    })
  ),
);

Deno.test("getpgid() throws ESRCH for a process that is not there", () => {
  for (const pid of [2_147_483_647, -1]) {
    const error = assertThrows(
      () => getpgid(pid),
      PosixError,
      `process ${pid}`,
    );
    assertEquals([error.code, error.syscall], ["ESRCH", "getpgid"]);
  }
});

Deno.test("getpgid() refuses a pid that is no 32-bit integer", () => {
  for (const pid of [2 ** 31, 2 ** 32, -(2 ** 31) - 1, 0.5, NaN]) {
    assertThrows(() => getpgid(pid), RangeError, "'pid'");
  }
  assertThrows(() => getpgid("1" as unknown as number), TypeError, "'pid'");
});

function assertCode(body: () => unknown, code: string): void {
  const error = assertThrows(body, PosixError, "setpgid failed");
  assertEquals([error.code, error.syscall], [code, "setpgid"]);
}

Deno.test(
  "setpgid() founds a group for a child, and moves it back",
  withoutLeaks(() => {
    const raw = reap(forkWith(() => {
      // The group of whoever runs the tests may be none of this container's, and so have no number here.
      setpgid(0, 0);
      withSleeper((pid) => {
        assertEquals(getpgid(pid), getpgrp());
        setpgid(pid, 0);
        assertEquals(getpgid(pid), pid);
        assertEquals(stat(pid).pgrp, pid);
        setpgid(pid, getpgrp());
        assertEquals(getpgid(pid), getpgrp());
        kill(pid, "SIGKILL");
        reap(pid);
      });
    }));
    assertEquals(raw, 0);
  }),
);

Deno.test(
  "setpgid() with two zeros makes the caller a leader",
  withoutLeaks(() => {
    const raw = reap(forkWith(() => {
      assertNotEquals(getpgrp(), getpid());
      setpgid(0, 0);
      assertEquals(getpgrp(), getpid());
    }));
    assertEquals(raw, 0);
  }),
);

Deno.test(
  "setpgid() throws EACCES for a child that has executed a program",
  withoutLeaks(() => {
    const libc = descriptorSymbols();
    const ends = new Int32Array(2);
    assertEquals(libc.pipe2(ends, O_CLOEXEC), 0);
    const pid = forkWith(() => execv("/bin/sleep", ["sleep", "1000"]));
    try {
      libc.close(ends[1]!);
      // The child's end is close-on-exec: the end of the data is the exec.
      assertEquals(libc.read(ends[0]!, new Uint8Array(1), 1n), 0);
      assertCode(() => setpgid(pid, 0), "EACCES");
    } finally {
      libc.close(ends[0]!);
      kill(pid, "SIGKILL");
      assertEquals(reap(pid), 9);
    }
  }),
);

Deno.test(
  "setpgid() throws EPERM for a session leader and for a group that is not there",
  withoutLeaks(() => {
    const raw = reap(forkWith(() => {
      assertCode(() => setpgid(0, 2_147_483_647), "EPERM");
      setsid();
      assertCode(() => setpgid(0, 0), "EPERM");
    }));
    assertEquals(raw, 0);
  }),
);

Deno.test("setpgid() throws ESRCH for what is no child, EINVAL for a negative group", () => {
  assertCode(() => setpgid(2_147_483_647, 0), "ESRCH");
  assertCode(() => setpgid(0, -1), "EINVAL");
});

Deno.test("setpgid() refuses ids that are no 32-bit integers", () => {
  for (const id of [2 ** 31, 2 ** 32, -(2 ** 31) - 1, 0.5, NaN]) {
    assertThrows(() => setpgid(id, 0), RangeError, "'pid'");
    assertThrows(() => setpgid(2_147_483_647, id), RangeError, "'pgid'");
  }
});

Deno.test("getsid() without a pid, or with 0, is about the caller", () => {
  assertEquals(getsid(), stat().session);
  assertEquals(getsid(0), stat().session);
  assertEquals(getsid(Deno.pid), stat().session);
});

Deno.test(
  "getsid() answers for a child",
  withoutLeaks(() =>
    withSleeper((pid) => {
      assertEquals(getsid(pid), stat(pid).session);
      kill(pid, "SIGKILL");
      reap(pid);
    })
  ),
);

Deno.test("getsid() throws ESRCH for a process that is not there", () => {
  for (const pid of [2_147_483_647, -1]) {
    const error = assertThrows(() => getsid(pid), PosixError, `process ${pid}`);
    assertEquals([error.code, error.syscall], ["ESRCH", "getsid"]);
  }
});

Deno.test("getsid() refuses a pid that is no 32-bit integer", () => {
  for (const pid of [2 ** 31, 2 ** 32, -(2 ** 31) - 1, 0.5, NaN]) {
    assertThrows(() => getsid(pid), RangeError, "'pid'");
  }
  assertThrows(() => getsid("1" as unknown as number), TypeError, "'pid'");
});

Deno.test(
  "setsid() makes a child the leader of a session and a group",
  withoutLeaks(() => {
    const raw = reap(forkWith(() => {
      const pid = getpid();
      assertEquals([setsid(), getsid(), getpgrp()], [pid, pid, pid]);
    }));
    assertEquals(raw, 0);
  }),
);

Deno.test(
  "setsid() throws EPERM in a group leader",
  withoutLeaks(() => {
    const raw = reap(forkWith(() => {
      setpgid(0, 0);
      const session = getsid();
      const error = assertThrows(
        setsid,
        PosixError,
        "Cannot found a session: setsid failed with EPERM",
      );
      assertEquals([error.code, error.syscall], ["EPERM", "setsid"]);
      assertEquals(getsid(), session);
    }));
    assertEquals(raw, 0);
  }),
);

const TIOCSCTTY = 0x540en;
const NOBODY = 2_147_483_647;
const CLOSED = 1_000_000;

/** Runs a test in a child that leads a session with a terminal, and is in its foreground. */
function inSession(
  body: (terminal: number, controller: number) => void,
): () => Promise<void> {
  return withoutLeaks(() => {
    const { controller, terminal } = openpty();
    const raw = reap(forkWith(() => {
      setsid();
      assertEquals(libc.ioctl_value(terminal, TIOCSCTTY, 0n), 0);
      body(terminal, controller);
    }));
    close(controller);
    close(terminal);
    assertEquals(raw, 0);
  });
}

function blocked(): string {
  return /^SigBlk:.*$/m.exec(readText("/proc/thread-self/status"))![0];
}

Deno.test(
  "tcgetpgrp() gives the group in the foreground, to the controller too",
  inSession((terminal, controller) => {
    assertEquals(tcgetpgrp(terminal), getpid());
    assertEquals(tcgetpgrp(controller), getpid());
  }),
);

Deno.test(
  "tcsetpgrp() gives the terminal to a group, and takes it back from the background without being stopped",
  inSession((terminal) => {
    const mask = blocked();
    const job = forkWith(() => {
      setpgid(0, 0); // in the background from here on
      tcsetpgrp(terminal, getpgrp());
      assertEquals(tcgetpgrp(terminal), getpid());
    });
    assertEquals(waitpid(job, WUNTRACED)?.status, { kind: "exited", code: 0 });
    assertEquals(tcgetpgrp(terminal) === getpgrp(), false);
    tcsetpgrp(terminal, getpgrp());
    assertEquals(tcgetpgrp(terminal), getpgrp());
    assertEquals(blocked(), mask);
  }),
);

Deno.test(
  "tcsetpgrp() throws what the system refuses, and leaves the signal mask as it was",
  inSession((terminal) => {
    const mask = blocked();
    const outsider = forkWith(() => {
      setsid();
      tryAll(terminal, "ENOTTY");
    });
    // While it has not been waited for, the group that it led is there, in another session.
    waitid("P_PID", outsider, WEXITED | WNOWAIT);
    const refusals = { EPERM: outsider, ESRCH: NOBODY, EINVAL: -1 };
    for (const [code, pgid] of Object.entries(refusals)) {
      const error = assertThrows(() => tcsetpgrp(terminal, pgid), PosixError);
      assertEquals([error.code, error.syscall], [code, "tcsetpgrp"]);
    }
    assertEquals(reap(outsider), 0);
    assertEquals(blocked(), mask);
    assertEquals(tcgetpgrp(terminal), getpgrp());
  }),
);

function tryAll(fd: number, code: string): void {
  for (const call of [() => tcgetpgrp(fd), () => tcsetpgrp(fd, getpgrp())]) {
    assertEquals(assertThrows(call, PosixError).code, code);
  }
}

Deno.test(
  "tcgetpgrp() and tcsetpgrp() throw ENOTTY for what is no terminal, and EBADF for what is not open",
  withoutLeaks(() => {
    const [reader, writer] = pipe();
    tryAll(reader, "ENOTTY");
    tryAll(CLOSED, "EBADF");
    close(reader);
    close(writer);
  }),
);

Deno.test("tcgetpgrp() and tcsetpgrp() refuse wrong arguments", () => {
  for (const fd of [-1, 0.5, NaN, 2 ** 31]) {
    assertThrows(() => tcgetpgrp(fd), RangeError, "'fd'");
    assertThrows(() => tcsetpgrp(fd, 1), RangeError, "'fd'");
  }
  for (const pgid of [0.5, NaN, 2 ** 31, 2 ** 32]) {
    assertThrows(() => tcsetpgrp(0, pgid), RangeError, "'pgid'");
  }
});
