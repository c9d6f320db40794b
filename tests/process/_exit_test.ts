import { assertEquals, assertThrows } from "@std/assert";
import { _exit } from "../../process/_exit.ts";
import { forkWith, reap, withoutLeaks } from "../_helpers.ts";

Deno.test(
  "_exit() gives the parent the low eight bits of the status",
  withoutLeaks(() => {
    const cases: [status: number, code: number][] = [
      [0, 0],
      [1, 1],
      [255, 255],
      [256, 0],
      [259, 3],
      [-1, 255],
      [2_147_483_647, 255],
      [-2_147_483_648, 0],
    ];
    for (const [status, code] of cases) {
      assertEquals(reap(forkWith(() => _exit(status))), code << 8);
    }
  }),
);

Deno.test(
  "_exit() runs no finally block, no listener and no promise",
  withoutLeaks(() => {
    const raw = reap(forkWith(() => {
      globalThis.addEventListener("unload", () => _exit(10));
      Promise.resolve().then(() => _exit(11));
      try {
        _exit(12);
      } finally {
        // deno-lint-ignore no-unsafe-finally
        return 13;
      }
    }));
    assertEquals(raw, 12 << 8);
  }),
);

Deno.test("_exit() refuses what is no 32-bit integer, and the process goes on", () => {
  for (const status of [2 ** 31, -(2 ** 31) - 1, 1.5, NaN, Infinity]) {
    assertThrows(() => _exit(status), RangeError, `value is ${status}`);
  }
  assertThrows(
    () => _exit("1" as unknown as number),
    TypeError,
    `'status' must be a number: current value is "1"`,
  );
});
