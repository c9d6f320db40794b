import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { PosixError } from "../../ffi/errors.ts";
import { Barrier, BarrierBroken } from "../../ipc/barrier.ts";
import { SharedMemory } from "../../ipc/shared_memory.ts";
import { forkWith, reap, until, withoutLeaks } from "../_helpers.ts";
import { assertRefused } from "./_helpers.ts";
import { end, untilFutex } from "./_locks.ts";

const BROKEN = 77;

/** Waits at the barrier in a child, which ends with its place, or with a number that says that the barrier is broken. */
function arrive(barrier: Barrier): number {
  return forkWith(() => {
    try {
      return barrier.wait({ timeout: 10_000 });
    } catch (error) {
      if (error instanceof BarrierBroken) return BROKEN;
      throw error;
    }
  });
}

Deno.test(
  "wait() of a barrier lets nobody pass before all have arrived, round after round",
  withoutLeaks(() => {
    using barrier = new Barrier(3);
    using memory = SharedMemory.anonymous(400);
    const arrived = new Int32Array(memory.buffer);
    const places = new Int32Array(memory.buffer, 200);
    const body = () => {
      for (let round = 0; round < 10; round++) {
        Atomics.add(arrived, round, 1);
        Atomics.add(places, round, 1 << (4 * barrier.wait()));
        assertEquals(Atomics.load(arrived, round), 3);
      }
    };
    const pids = [forkWith(body), forkWith(body)];
    body();
    assertEquals(pids.map(reap), [0, 0]);
    assertEquals([...places.subarray(0, 10)], Array(10).fill(0x111));
    assertEquals([barrier.waiting, barrier.broken], [0, false]);
  }),
);

Deno.test(
  "wait() of a barrier passes more rounds than it can count",
  withoutLeaks(() => {
    using barrier = new Barrier(1);
    for (let round = 0; round < 5000; round++) assertEquals(barrier.wait(), 0);
    assertEquals([barrier.waiting, barrier.broken], [0, false]);
  }),
);

Deno.test(
  "wait() of a barrier that takes too long breaks it for all",
  withoutLeaks(async () => {
    using barrier = new Barrier(3);
    const pid = arrive(barrier);
    await until(() => barrier.waiting === 1);
    const start = performance.now();
    assertRefused(
      () => barrier.wait({ timeout: 30 }),
      "ETIMEDOUT",
      "pthread_barrier_wait",
    );
    assert(performance.now() - start >= 30);
    assertEquals(reap(pid), BROKEN << 8);
    assertEquals([barrier.broken, barrier.waiting], [true, 0]);
    assertThrows(() => barrier.wait(), BarrierBroken, "it is broken");
    barrier.reset();
    assertEquals(barrier.broken, false);
  }),
);

Deno.test(
  "wait() of a barrier takes one that was killed after its arrival for one that has come",
  withoutLeaks(async () => {
    using barrier = new Barrier(2);
    const pid = arrive(barrier);
    await untilFutex(pid);
    end(pid);
    assertEquals(barrier.wait({ timeout: 5000 }), 1);
  }),
);

Deno.test(
  "abort() and reset() end the waiting of others, and reset() makes the barrier as new",
  withoutLeaks(async () => {
    using barrier = new Barrier(2);
    const end = [() => barrier.abort(), () => barrier.reset()];
    for (const [index, action] of end.entries()) {
      const pid = arrive(barrier);
      await untilFutex(pid);
      action();
      assertEquals(reap(pid), BROKEN << 8);
      assertEquals(barrier.broken, index === 0);
      barrier.reset();
    }
    const pid = arrive(barrier);
    assertEquals(barrier.wait({ timeout: 5000 }) + (reap(pid) >> 8), 1);
  }),
);

Deno.test(
  "waitAsync() of a barrier passes with other processes and other tasks",
  withoutLeaks(async () => {
    using barrier = new Barrier(4);
    const pid = arrive(barrier);
    const tasks = [0, 1, 2].map(() => barrier.waitAsync({ timeout: 5000 }));
    const places = [...await Promise.all(tasks), reap(pid) >> 8];
    assertEquals(places.toSorted(), [0, 1, 2, 3]);
  }),
);

Deno.test(
  "waitAsync() of a barrier breaks it when it is ended",
  withoutLeaks(async () => {
    using barrier = new Barrier(3);
    const controller = new AbortController();
    const { signal } = controller;
    const waiting = barrier.waitAsync({ signal });
    const other = barrier.waitAsync();
    const both = [
      assertRejects(() => waiting, Error, "enough"),
      assertRejects(() => other, BarrierBroken),
    ];
    controller.abort(new Error("enough"));
    await Promise.all(both);
    barrier.reset();
    await assertRejects(
      () => barrier.waitAsync({ timeout: 5 }),
      PosixError,
      "ETIMEDOUT",
    );
    await assertRejects(() => barrier.waitAsync(), BarrierBroken);
  }),
);

Deno.test("Barrier refuses numbers of parties that are none, or not those of the first", () => {
  for (const parties of [0, -1, 1.5, NaN, 4096]) {
    assertThrows(() => new Barrier(parties), RangeError, "'parties'");
  }
  using memory = SharedMemory.anonymous(64);
  using first = new Barrier(2, { memory });
  assertThrows(
    () => new Barrier(3, { memory }),
    RangeError,
    "'parties' must be 2",
  );
  using second = new Barrier(2, { memory });
  first.abort();
  assert(second.broken);
  for (const timeout of [-1, NaN]) {
    assertThrows(() => first.wait({ timeout }), RangeError, "timeout");
  }
});

Deno.test(
  "a barrier that is closed throws, also for those who wait",
  withoutLeaks(async () => {
    const barrier = new Barrier(2);
    const waiting = barrier.waitAsync();
    barrier.close();
    barrier.close();
    await assertRejects(() => waiting, TypeError, "it is closed");
    for (
      const use of [
        () => barrier.wait(),
        () => barrier.abort(),
        () => barrier.reset(),
        () => barrier.waiting,
        () => barrier.broken,
      ]
    ) assertThrows(use, TypeError, "it is closed");
  }),
);
