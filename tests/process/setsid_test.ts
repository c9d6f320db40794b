import { assertEquals, assertThrows } from "@std/assert";
import { PosixError } from "../../ffi/errors.ts";
import { getpgrp, getpid, getsid, setpgid, setsid } from "../../process/ids.ts";
import { forkWith, reap, withoutLeaks } from "../_helpers.ts";

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
