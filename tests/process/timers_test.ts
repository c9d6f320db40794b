import { descriptorSymbols } from "../../ffi/_symbols.ts";
import { sigwait } from "../../process/signal_mask.ts";
import {
  alarm,
  getitimer,
  intervals,
  setitimer,
} from "../../process/timers.ts";
import {
  assertOpenDescriptors,
  forkWith,
  forkWithAsync,
  openDescriptors,
  reap,
  until,
  withoutLeaks,
} from "../_helpers.ts";
import { blocked } from "./_signals.ts";
import {
  assert,
  assertEquals,
  assertGreaterOrEqual,
  assertLess,
  assertRejects,
  assertThrows,
} from "@std/assert";

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
    // On a busy machine one more may have come before that; unblocked, it would end the process.
    sigwait(["SIGALRM"], { timeout: 0 });
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

Deno.test(
  "intervals() ticks at whole multiples of the interval after its start",
  withoutLeaks(async () => {
    const start = performance.now();
    let ticks = 0;
    for await (const missed of intervals(4)) {
      ticks += 1 + missed;
      assertGreaterOrEqual(performance.now() - start, ticks * 4 - 0.1);
      if (ticks >= 10) break;
    }
    // Late ones are caught up with, not added to.
    assert(performance.now() - start < 5000);
  }),
);

Deno.test(
  "intervals() counts what is missed while nobody waits",
  withoutLeaks(async () => {
    await using ticks = intervals(2.5);
    assertEquals((await ticks.next()).done, false);
    const start = performance.now();
    while (performance.now() - start < 30); // blocks the event loop
    const { value } = await ticks.next();
    assertGreaterOrEqual(value!, 10);
    assert(value! < 1000);
  }),
);

Deno.test(
  "intervals() ends by being left, by return() and by its AbortSignal, whether somebody waits or not",
  withoutLeaks(async () => {
    const before = openDescriptors();
    const idle = intervals(1000);
    await idle.return();
    await idle.return();
    assertEquals(await idle.next(), { done: true, value: undefined });

    const waiting = intervals(60_000);
    const pending = [waiting.next(), waiting.next()];
    await waiting.return();
    for (const result of await Promise.all(pending)) assert(result.done);

    const controller = new AbortController();
    const { signal } = controller;
    const aborted = intervals(60_000, { signal });
    const next = aborted.next();
    controller.abort(new Error("enough"));
    await assertRejects(() => next, Error, "enough");
    assert((await aborted.next()).done);
    assertThrows(() => intervals(1, { signal }), Error, "enough");

    const later = new AbortController();
    const unwatched = intervals(60_000, { signal: later.signal });
    later.abort(new Error("later"));
    await assertRejects(() => unwatched.next(), Error, "later");
    {
      using _ = intervals(60_000);
    }
    assertOpenDescriptors(before);
  }),
);

Deno.test(
  "intervals() has its ticks taken in order by several who wait, and by many timers at once",
  withoutLeaks(async () => {
    const many = Array.from({ length: 30 }, (_, i) => intervals(1 + i / 10));
    const order: number[] = [];
    await Promise.all(
      many.flatMap((ticks, index) =>
        [0, 1].map(async (turn) => {
          await ticks.next();
          if (index === 0) order.push(turn);
        })
      ),
    );
    assertEquals(order, [0, 1]);
    await Promise.all(many.map((ticks) => ticks.return()));
  }),
);

Deno.test(
  "intervals() goes on in a forked child by itself, and takes no tick from the parent",
  withoutLeaks(async () => {
    const started = performance.now();
    const ticks = intervals(5);
    let counted = 0;
    let lacking: number[] = [];
    const counting = (async () => {
      for await (const missed of ticks) {
        counted += 1 + missed;
        lacking.push((performance.now() - started) / 5 - counted);
      }
    })();
    await until(() => counted > 0);
    const child = await forkWithAsync(async () => {
      const before = counted;
      await until(() => counted >= before + 20);
      await ticks.return();
      await counting;
    });
    const before = counted;
    await until(() => counted >= before + 20);
    assertEquals(reap(child), 0);
    lacking = [];
    await until(() => lacking.length >= 5);
    // Had the child taken its ticks from the parent's, the parent would lack as many ever after.
    const least = Math.min(...lacking);
    assert(least > -0.1 && least < 5, `${least} ticks are lacking`);
    await ticks.return();
    await counting;
  }),
);

Deno.test(
  "intervals() goes on in a forked child though a tick is due at the very moment of the fork",
  withoutLeaks(async () => {
    // With a nanosecond from one to the next, one always is.
    await using ticks = intervals(1e-6);
    const child = await forkWithAsync(async () => {
      let ticked = false;
      ticks.next().then(() => ticks.next()).then(() => ticked = true);
      await until(() => ticked);
    });
    await ticks.next();
    assertEquals(reap(child), 0);
  }),
);

Deno.test("intervals() refuses what is no interval before it does anything", () => {
  for (const wrong of [0, -1, NaN, Infinity, 2 ** 31]) {
    assertThrows(() => intervals(wrong), RangeError, "'milliseconds'");
  }
  // @ts-expect-error: no number
  assertThrows(() => intervals("5"), TypeError, "'milliseconds'");
  assertThrows(
    // @ts-expect-error: no signal
    () => intervals(5, { signal: "stop" }),
    TypeError,
    "'signal'",
  );
});
