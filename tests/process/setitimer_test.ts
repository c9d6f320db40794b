import {
  assert,
  assertEquals,
  assertGreaterOrEqual,
  assertLess,
  assertThrows,
} from "@std/assert";
import { alarm, getitimer, setitimer } from "../../process/timers.ts";
import { sigwait } from "../../process/signal_mask.ts";
import { forkWith, reap, withoutLeaks } from "../_helpers.ts";
import { blocked } from "./_signals.ts";

Deno.test(
  "setitimer() sends SIGALRM after the first time, and then after each interval",
  withoutLeaks(() => {
    using _ = blocked("SIGALRM");
    const start = performance.now();
    assertEquals(setitimer("ITIMER_REAL", 0.02, 0.03), {
      value: 0,
      interval: 0,
    });
    for (let tick = 0; tick < 4; tick++) {
      assertEquals(
        sigwait(["SIGALRM"], { timeout: 5000 })?.signal,
        "SIGALRM",
      );
      assertGreaterOrEqual(performance.now() - start, 20 + tick * 30 - 0.1);
    }
    const { value, interval } = setitimer("ITIMER_REAL", 0);
    assert(value > 0 && value <= 0.03, `${value}`);
    assertEquals(interval, 0.03);
    assertEquals(getitimer("ITIMER_REAL"), { value: 0, interval: 0 });
  }),
);

Deno.test(
  "setitimer() sends a signal once where there is no interval",
  withoutLeaks(() => {
    using _ = blocked("SIGALRM");
    setitimer("ITIMER_REAL", 0.001);
    assertEquals(sigwait(["SIGALRM"], { timeout: 5000 })?.pid, null);
    assertEquals(sigwait(["SIGALRM"], { timeout: 20 }), null);
  }),
);

Deno.test(
  "setitimer() ends the process by the timer's own signal",
  withoutLeaks(() => {
    for (
      const [which, signal] of [
        ["ITIMER_REAL", 14],
        ["ITIMER_VIRTUAL", 26],
        ["ITIMER_PROF", 27],
      ] as const
    ) {
      const child = forkWith(() => {
        setitimer(which, 0.001);
        for (;;); // uses CPU time
      });
      assertEquals(reap(child), signal);
    }
  }),
);

Deno.test(
  "setitimer() shares the one timer of alarm(), keeps microseconds, and is not handed on to a forked child",
  withoutLeaks(() => {
    const child = forkWith(() => {
      alarm(100);
      const { value } = setitimer("ITIMER_REAL", 2_147_483_647, 1e-9);
      assert(value > 99 && value <= 100);
      assertEquals(getitimer("ITIMER_REAL").interval, 0.000_001);
      for (const interval of [0.1, 0.000_001, 1.000_001, 123.456_789]) {
        setitimer("ITIMER_VIRTUAL", 1000, interval);
        assertEquals(getitimer("ITIMER_VIRTUAL").interval, interval);
      }
      const grandchild = forkWith(() => {
        assertEquals(getitimer("ITIMER_REAL"), { value: 0, interval: 0 });
        assertEquals(getitimer("ITIMER_VIRTUAL"), { value: 0, interval: 0 });
      });
      assertEquals(reap(grandchild), 0);
      assertLess(getitimer("ITIMER_REAL").value, 2_147_483_648);
      setitimer("ITIMER_REAL", 0);
    });
    assertEquals(reap(child), 0);
  }),
);

Deno.test("setitimer() and getitimer() refuse unknown timers and impossible times before any effect", () => {
  for (const time of [-1, -1e-9, NaN, Infinity, 2 ** 31]) {
    assertThrows(() => setitimer("ITIMER_REAL", time), RangeError, "'value'");
    assertThrows(
      () => setitimer("ITIMER_REAL", 1, time),
      RangeError,
      "'interval'",
    );
  }
  // @ts-expect-error: no number
  assertThrows(() => setitimer("ITIMER_REAL", "1"), TypeError, "'value'");
  // @ts-expect-error: no such timer
  assertThrows(() => setitimer("REAL", 1), TypeError, "'which'");
  // @ts-expect-error: no such timer
  assertThrows(() => getitimer("ITIMER_REA"), TypeError, "ITIMER_REAL");
  assertEquals(getitimer("ITIMER_REAL"), { value: 0, interval: 0 });
});
