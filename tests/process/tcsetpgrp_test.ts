import { assertEquals, assertThrows } from "@std/assert";
import { PosixError } from "../../ffi/errors.ts";
import { close, openpty, pipe } from "../../ipc/mod.ts";
import {
  getpgrp,
  getpid,
  setpgid,
  setsid,
  tcgetpgrp,
  tcsetpgrp,
} from "../../process/ids.ts";
import { WEXITED, WNOWAIT, WUNTRACED } from "../../ffi/constants.ts";
import { waitid } from "../../wait/waitid.ts";
import { waitpid } from "../../wait/wait.ts";
import { forkWith, readText, reap, withoutLeaks } from "../_helpers.ts";
import { libc } from "../ipc/_libc.ts";

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
