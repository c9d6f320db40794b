import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { Event } from "../../ipc/event.ts";
import { SharedMemory } from "../../ipc/shared_memory.ts";
import { forkWith, forkWithAsync, reap, withoutLeaks } from "../_helpers.ts";
import { end, untilFutex } from "./_locks.ts";

Deno.test(
  "set() wakes all who wait, in all processes",
  withoutLeaks(async () => {
    using event = new Event();
    const pids = [0, 1, 2].map(() =>
      forkWith(() => Number(event.wait({ timeout: 10_000 })))
    );
    for (const pid of pids) await untilFutex(pid);
    const here = [0, 1, 2].map(() => event.waitAsync({ timeout: 10_000 }));
    event.set();
    assertEquals(pids.map(reap), [1 << 8, 1 << 8, 1 << 8]);
    assertEquals(await Promise.all(here), [true, true, true]);
    assert(event.isSet && event.wait() && await event.waitAsync());
  }),
);

Deno.test(
  "set() is not missed by those who wait, though clear() follow at once",
  withoutLeaks(async () => {
    using event = new Event();
    const pid = forkWith(() => Number(event.wait({ timeout: 10_000 })));
    await untilFutex(pid);
    event.set();
    event.clear();
    assertEquals(reap(pid), 1 << 8);
    assertEquals([event.isSet, event.wait({ timeout: 0 })], [false, false]);
  }),
);

Deno.test("set() and clear() do no more the second time", () => {
  using event = new Event();
  for (const state of [true, true, false, false, true]) {
    if (state) event.set();
    else event.clear();
    assertEquals(event.isSet, state);
  }
});

Deno.test("wait() and waitAsync() of an event give false when the time is over", async () => {
  using event = new Event();
  for (const timeout of [0, 210]) {
    const start = performance.now();
    assertEquals(event.wait({ timeout }), false);
    assertEquals(await event.waitAsync({ timeout }), false);
    assert(performance.now() - start >= 2 * timeout);
  }
  for (const timeout of [-1, NaN]) {
    assertThrows(() => event.wait({ timeout }), RangeError, "timeout");
    await assertRejects(() => event.waitAsync({ timeout }), RangeError);
  }
});

Deno.test(
  "set() reaches the others when one who waits is killed",
  withoutLeaks(async () => {
    using event = new Event();
    const pids = [0, 1].map(() =>
      forkWith(() => Number(event.wait({ timeout: 10_000 })))
    );
    for (const pid of pids) await untilFutex(pid);
    end(pids[0]!);
    event.set();
    assertEquals(reap(pids[1]!), 1 << 8);
  }),
);

Deno.test(
  "waitAsync() of an event ends with the signal, and does not settle in a forked child",
  withoutLeaks(async () => {
    using event = new Event();
    const controller = new AbortController();
    const { signal } = controller;
    const aborted = event.waitAsync({ signal });
    const waiting = event.waitAsync();
    const child = await forkWithAsync(async () => {
      let settled = 0;
      waiting.finally(() => settled++);
      event.set();
      assert(await event.waitAsync());
      await new Promise((resolve) => setTimeout(resolve, 5));
      event.clear();
      return settled;
    });
    assertEquals(await waiting, true);
    assertEquals(await aborted, true);
    assertEquals(reap(child), 0);
    const next = event.waitAsync({ signal });
    controller.abort(new Error("enough"));
    await assertRejects(() => next, Error, "enough");
  }),
);

Deno.test("an event in memory is the same for all who make it there", () => {
  using memory = SharedMemory.anonymous(200);
  using first = new Event({ memory, offset: 8 });
  using second = new Event({ memory, offset: 8 });
  using other = new Event({ memory, offset: 72 });
  first.set();
  assertEquals([second.isSet, other.isSet], [true, false]);
  memory.resize(8192);
  assertEquals(second.isSet, true);
  second.clear();
  assertEquals(first.isSet, false);
});

Deno.test(
  "an event that is closed throws, also for those who wait",
  withoutLeaks(async () => {
    const event = new Event();
    const waiting = event.waitAsync();
    event.close();
    event.close();
    await assertRejects(() => waiting, TypeError, "it is closed");
    for (
      const use of [
        () => event.set(),
        () => event.clear(),
        () => event.wait(),
        () => event.isSet,
      ]
    ) assertThrows(use, TypeError, "it is closed");
  }),
);
