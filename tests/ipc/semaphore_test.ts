import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { PosixError } from "../../ffi/errors.ts";
import { Semaphore } from "../../ipc/semaphore.ts";
import { SharedMemory } from "../../ipc/shared_memory.ts";
import {
  forkWith,
  forkWithAsync,
  reap,
  until,
  withoutLeaks,
} from "../_helpers.ts";
import { assertRefused } from "./_helpers.ts";
import { end, killWhen, untilFutex } from "./_locks.ts";

Deno.test(
  "Semaphore lets as many processes go on as there are permits",
  withoutLeaks(() => {
    using semaphore = new Semaphore(2);
    using memory = SharedMemory.anonymous(12);
    const words = new Int32Array(memory.buffer);
    const pids = [0, 1, 2, 3].map(() =>
      forkWith(() => {
        for (let round = 0; round < 100; round++) {
          const permit = semaphore.acquire();
          const inside = Atomics.add(words, 0, 1) + 1;
          assert(inside <= 2);
          Atomics.add(words, 1, 1);
          Atomics.sub(words, 0, 1);
          permit.release();
        }
      })
    );
    assertEquals(pids.map(reap), [0, 0, 0, 0]);
    assertEquals([words[1], semaphore.value], [400, 2]);
  }),
);

Deno.test("Semaphore gives permits that are given back once", () => {
  using semaphore = new Semaphore(1);
  const permit = semaphore.acquire();
  assertEquals([semaphore.value, semaphore.tryAcquire()], [0, null]);
  permit.release();
  permit.release();
  permit[Symbol.dispose]();
  assertEquals(semaphore.value, 1);
  semaphore.release(2);
  assertEquals(semaphore.value, 3);
});

Deno.test(
  "release() wakes as many as there are permits",
  withoutLeaks(async () => {
    using semaphore = new Semaphore(0);
    const pids = [0, 1, 2].map(() =>
      forkWith(() => void semaphore.acquire({ timeout: 10_000 }))
    );
    for (const pid of pids) await untilFutex(pid);
    semaphore.release(3);
    assertEquals(pids.map(reap), [0, 0, 0]);
    assertEquals(semaphore.value, 0);
  }),
);

Deno.test("acquire() of a semaphore throws ETIMEDOUT when the time is over", async () => {
  using semaphore = new Semaphore(0);
  for (const timeout of [0, 25]) {
    const start = performance.now();
    assertRefused(
      () => semaphore.acquire({ timeout }),
      "ETIMEDOUT",
      "sem_wait",
    );
    await assertRejects(
      () => semaphore.acquireAsync({ timeout }),
      PosixError,
      "ETIMEDOUT",
    );
    assert(performance.now() - start >= 2 * timeout);
  }
  for (const timeout of [-1, NaN]) {
    assertThrows(() => semaphore.acquire({ timeout }), RangeError, "timeout");
  }
});

Deno.test(
  "acquire() of a semaphore goes on when others who wait are killed",
  withoutLeaks(async () => {
    using semaphore = new Semaphore(0);
    const wait = () => void semaphore.acquire({ timeout: 10_000 });
    const doomed = [forkWith(wait), forkWith(wait)];
    for (const pid of doomed) await untilFutex(pid);
    const pid = forkWith(wait);
    await untilFutex(pid);
    for (const pid of doomed) {
      end(pid);
    }
    semaphore.release();
    assertEquals(reap(pid), 0);
    assertEquals(semaphore.value, 0);
  }),
);

Deno.test(
  "Semaphore loses no permit but those of the killed",
  withoutLeaks(async () => {
    using semaphore = new Semaphore(100);
    using memory = SharedMemory.anonymous(4);
    const rounds = new Int32Array(memory.buffer);
    for (let round = 0; round < 3; round++) {
      const pid = forkWith(() => {
        for (;;) {
          semaphore.acquire().release();
          Atomics.add(rounds, 0, 1);
        }
      });
      const goal = Atomics.load(rounds, 0) + 50 + round;
      await killWhen(pid, () => Atomics.load(rounds, 0) > goal);
    }
    assert(semaphore.value >= 95 && semaphore.value <= 100);
  }),
);

Deno.test(
  "acquireAsync() of a semaphore waits in line, and ends with the signal",
  withoutLeaks(async () => {
    using semaphore = new Semaphore(0);
    const controller = new AbortController();
    const { signal } = controller;
    const order: string[] = [];
    const first = semaphore.acquireAsync({ signal });
    const second = semaphore.acquireAsync().then(() => order.push("second"));
    const third = semaphore.acquireAsync().then(() => order.push("third"));
    controller.abort(new Error("enough"));
    await assertRejects(() => first, Error, "enough");
    const child = forkWith(() => semaphore.release(2));
    await Promise.all([second, third]);
    assertEquals([reap(child), ...order], [0, "second", "third"]);
    assertEquals(semaphore.value, 0);
  }),
);

Deno.test(
  "fork() leaves the parent's permits, and what it waits for, to the parent",
  withoutLeaks(async () => {
    using semaphore = new Semaphore(1);
    const permit = semaphore.acquire();
    const waiting = semaphore.acquireAsync();
    const child = await forkWithAsync(async () => {
      permit.release();
      assertEquals(semaphore.value, 0);
      const error = await semaphore.acquireAsync({ timeout: 10 })
        .catch((error: unknown) => error);
      assertEquals((error as PosixError).code, "ETIMEDOUT");
    });
    assertEquals(reap(child), 0);
    permit.release();
    (await waiting).release();
    assertEquals(semaphore.value, 1);
  }),
);

Deno.test("a semaphore in memory has the value of the first who makes it", () => {
  using memory = SharedMemory.anonymous(128);
  using first = new Semaphore(0, { memory, offset: 64 });
  using second = new Semaphore(7, { memory, offset: 64 });
  assertEquals(second.value, 0);
  second.release();
  assertEquals(first.value, 1);
});

Deno.test("Semaphore refuses values and counts that are none", () => {
  for (const value of [-1, 0.5, NaN, 2 ** 31]) {
    assertThrows(() => new Semaphore(value), RangeError, "'value'");
  }
  using semaphore = new Semaphore(2 ** 31 - 2);
  for (const count of [0, -1, 1.5]) {
    assertThrows(() => semaphore.release(count), RangeError, "'count'");
  }
  assertRefused(() => semaphore.release(), "EOVERFLOW", "sem_post");
});

Deno.test(
  "a semaphore that is closed throws, also for those who wait",
  withoutLeaks(async () => {
    const semaphore = new Semaphore(0);
    const waiting = semaphore.acquireAsync();
    await until(() => true);
    semaphore.close();
    semaphore.close();
    await assertRejects(() => waiting, TypeError, "it is closed");
    for (
      const use of [
        () => semaphore.acquire(),
        () => semaphore.tryAcquire(),
        () => semaphore.release(),
        () => semaphore.value,
      ]
    ) assertThrows(use, TypeError, "it is closed");
  }),
);
