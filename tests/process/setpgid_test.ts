import { assertEquals, assertNotEquals, assertThrows } from "@std/assert";
import { O_CLOEXEC } from "../../ffi/constants.ts";
import { PosixError } from "../../ffi/errors.ts";
import { descriptorSymbols } from "../../ffi/_symbols.ts";
import { execv } from "../../exec/exec.ts";
import {
  getpgid,
  getpgrp,
  getpid,
  setpgid,
  setsid,
} from "../../process/ids.ts";
import { kill } from "../../process/kill.ts";
import { forkWith, reap, withoutLeaks } from "../_helpers.ts";
import { withSleeper } from "./_sleeper.ts";
import { stat } from "./_stat.ts";

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
