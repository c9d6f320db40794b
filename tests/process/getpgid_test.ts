import { assertEquals, assertThrows } from "@std/assert";
import { PosixError } from "../../ffi/errors.ts";
import { getpgid } from "../../process/ids.ts";
import { kill } from "../../process/kill.ts";
import { reap, withoutLeaks } from "../_helpers.ts";
import { withSleeper } from "./_sleeper.ts";
import { stat } from "./_stat.ts";

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
