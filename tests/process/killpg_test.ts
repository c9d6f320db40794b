import { assertEquals, assertThrows } from "@std/assert";
import { PosixError } from "../../ffi/errors.ts";
import { killpg } from "../../process/kill.ts";
import { setpgid } from "../../process/ids.ts";
import type { Signal } from "../../process/signals.ts";
import { forkWith, reap, withoutLeaks } from "../_helpers.ts";
import { withSleeper } from "./_sleeper.ts";

const NOBODY = 2_147_483_647;

Deno.test(
  "killpg() ends every process of a group",
  withoutLeaks(() =>
    withSleeper((first) => {
      setpgid(first, 0);
      withSleeper((second) => {
        setpgid(second, first);
        killpg(first, 0);
        killpg(first, "SIGKILL");
        assertEquals(reap(second), 9);
      });
      assertEquals(reap(first), 9);
    })
  ),
);

Deno.test(
  "killpg() with 0 reaches the caller's own group",
  withoutLeaks(() => {
    const raw = reap(forkWith(() => {
      setpgid(0, 0);
      killpg(0, "SIGKILL");
    }));
    assertEquals(raw, 9);
  }),
);

Deno.test("killpg() throws ESRCH for a group that is not there", () => {
  const error = assertThrows(
    () => killpg(NOBODY, 0),
    PosixError,
    `Cannot send signal 0 to process group ${NOBODY}: killpg failed with ESRCH`,
  );
  assertEquals([error.code, error.syscall], ["ESRCH", "killpg"]);
});

Deno.test("killpg() refuses group 1, which C takes for everybody, and what is no group", () => {
  for (const pgid of [1, -1, -5, 2 ** 31, 2 ** 32 - 1, 0.5, NaN]) {
    assertThrows(() => killpg(pgid, 0), RangeError, "'pgid'");
  }
});

Deno.test("killpg() answers an unknown name with the nearest", () => {
  assertThrows(
    () => killpg(NOBODY, "SIGKIL" as Signal),
    TypeError,
    `did you mean "SIGKILL"`,
  );
  assertThrows(() => killpg(NOBODY, 65), RangeError, "'signal'");
});
