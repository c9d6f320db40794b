import { assertEquals, assertThrows } from "@std/assert";
import { descriptorSymbols } from "../../ffi/_symbols.ts";
import { alarm } from "../../process/timers.ts";
import { forkWith, reap, withoutLeaks } from "../_helpers.ts";

Deno.test(
  "alarm() ends a process with SIGALRM",
  withoutLeaks(() => {
    const raw = reap(forkWith(() => {
      alarm(1);
      for (;;) descriptorSymbols().poll(null, 0n, -1);
    }));
    assertEquals(raw, 14);
  }),
);

Deno.test(
  "alarm() gives what was left of the former one, and 0 takes it back",
  withoutLeaks(() => {
    const raw = reap(forkWith(() => {
      assertEquals(alarm(1000), 0);
      assertEquals(alarm(2_147_483_648), 1000);
      assertEquals(alarm(4_294_967_295), 2_147_483_648);
      assertEquals(alarm(0), 4_294_967_295);
      assertEquals(alarm(0), 0);
    }));
    assertEquals(raw, 0);
  }),
);

Deno.test(
  "alarm() is not handed on to a forked child",
  withoutLeaks(() => {
    const raw = reap(forkWith(() => {
      alarm(1000);
      return reap(forkWith(() => alarm(0)));
    }));
    assertEquals(raw, 0);
  }),
);

Deno.test("alarm() refuses what would wrap", () => {
  for (const seconds of [-1, 2 ** 32, 0.5, NaN, Infinity]) {
    assertThrows(() => alarm(seconds), RangeError, "'seconds'");
  }
});
