import { assertEquals, assertThrows } from "@std/assert";
import { signalName, SIGNALS } from "../../process/signals.ts";

Deno.test("signalName() names every signal", () => {
  for (let number = 1; number <= 64; number++) {
    const name = signalName(number);
    if (number === 32 || number === 33) assertEquals(name, `SIG${number}`);
    else assertEquals(SIGNALS[name as keyof typeof SIGNALS], number);
  }
});

Deno.test("signalName() refuses what is no signal", () => {
  for (const signal of [0, -1, 65, 1.5, NaN, 2 ** 32 + 9]) {
    assertThrows(() => signalName(signal), RangeError, "'signal'");
  }
  assertThrows(() => signalName("9" as unknown as number), TypeError);
});
