import {
  assertEquals,
  assertGreaterOrEqual,
  assertLess,
  assertMatch,
} from "@std/assert";
import { withoutLeaks } from "../_helpers.ts";
import { runCleanly } from "./_run.ts";

Deno.test(
  "example itimer ticks first after 0.1 s and then every 0.3 s, while the main program goes on",
  withoutLeaks(async () => {
    const { stdout } = await runCleanly("itimer");
    const ticks = [...stdout.matchAll(/^tick (\d) \(SIGALRM\) after (.+) s$/mg)]
      .map(([, number, time]) => [Number(number), Number(time)] as const);
    assertEquals(ticks.map(([number]) => number), [1, 2, 3, 4]);
    for (const [index, [, time]] of ticks.entries()) {
      const due = 0.1 + index * 0.3;
      assertGreaterOrEqual(time, due - 0.001);
      // The machine may be busy; but none is as late as the next one.
      assertLess(time, due + 0.3);
    }
    assertGreaterOrEqual([...stdout.matchAll(/^main: round/mg)].length, 4);
    assertMatch(stdout, /^timer stopped, its interval was 0\.3 s$/m);
  }),
);
