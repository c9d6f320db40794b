import { assertEquals, assertThrows } from "@std/assert";
import { PosixError } from "../../ffi/errors.ts";
import { getsid } from "../../process/ids.ts";
import { kill } from "../../process/kill.ts";
import { reap, withoutLeaks } from "../_helpers.ts";
import { withSleeper } from "./_sleeper.ts";
import { stat } from "./_stat.ts";

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
