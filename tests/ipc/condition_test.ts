import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { Condition } from "../../ipc/condition.ts";
import { Mutex } from "../../ipc/mutex.ts";
import { SharedMemory } from "../../ipc/shared_memory.ts";
import {
  forkWith,
  forkWithAsync,
  reap,
  until,
  withoutLeaks,
} from "../_helpers.ts";
import { assertRefused } from "./_helpers.ts";
import { end, untilFutex } from "./_locks.ts";

/** A mutex, a condition and words that they protect. */
class Shared implements Disposable {
  readonly mutex = new Mutex();
  readonly condition = new Condition(this.mutex);
  readonly #memory = SharedMemory.anonymous(64);
  readonly words = new Int32Array(this.#memory.buffer);

  /** Starts a child that waits to be notified, and ends with 1 if it was; gives it when it waits. */
  async waiter(timeout = 10_000): Promise<number> {
    const before = Atomics.load(this.words, 0);
    const pid = forkWith(() => {
      using _ = this.mutex.acquire();
      Atomics.add(this.words, 0, 1);
      const notified = this.condition.wait({ timeout });
      if (notified) this.words[2] = this.words[2]! + 1;
      return Number(notified);
    });
    await until(() => Atomics.load(this.words, 0) > before);
    // It has counted itself under the mutex, which it gives up only to wait.
    this.mutex.acquire().release();
    await untilFutex(pid);
    return pid;
  }

  notify(count?: number): void {
    using _ = this.mutex.acquire();
    this.condition.notify(count);
  }

  [Symbol.dispose](): void {
    this.condition.close();
    this.mutex.close();
    this.#memory.close();
  }
}

Deno.test(
  "notify() lets as many go on as it says, and no more",
  withoutLeaks(async () => {
    using shared = new Shared();
    const pids = [];
    for (let i = 0; i < 4; i++) pids.push(await shared.waiter());
    const notified = () => Atomics.load(shared.words, 2);
    for (const [count, sum] of [[1, 1], [2, 3]] as const) {
      shared.notify(count);
      await until(() => notified() === sum);
      // Long enough for one more to go on, if it could.
      await new Promise((resolve) => setTimeout(resolve, 10));
      assertEquals(notified(), sum);
    }
    shared.notify();
    assertEquals(pids.map(reap), Array(4).fill(1 << 8));
  }),
);

Deno.test(
  "notifyAll() lets all go on who wait",
  withoutLeaks(async () => {
    using shared = new Shared();
    const pids = [await shared.waiter(), await shared.waiter()];
    {
      using _ = shared.mutex.acquire();
      shared.condition.notifyAll();
    }
    assertEquals(pids.map(reap), [1 << 8, 1 << 8]);
    using _ = shared.mutex.acquire();
    assertEquals(shared.condition.wait({ timeout: 5 }), false);
  }),
);

Deno.test(
  "wait() of a condition is not ended by what was notified before, nor by the own notification",
  withoutLeaks(() => {
    using shared = new Shared();
    using guard = shared.mutex.acquire();
    shared.condition.notify(5);
    const start = performance.now();
    assertEquals(shared.condition.wait({ timeout: 30 }), false);
    assert(performance.now() - start >= 30);
    // The mutex is there again, by the same guard.
    assertEquals(shared.mutex.tryAcquire(), null);
    guard.release();
    shared.mutex.acquire().release();
  }),
);

Deno.test(
  "two processes pass the turn to each other by a condition",
  withoutLeaks(() => {
    using shared = new Shared();
    const { mutex, condition, words } = shared;
    const play = (side: number) => {
      using _ = mutex.acquire();
      for (let round = 0; round < 100; round++) {
        const mine = () => words[1]! % 2 === side;
        assert(condition.waitFor(mine, { timeout: 10_000 }));
        words[1] = words[1]! + 1;
        condition.notify();
      }
    };
    const pid = forkWith(() => play(1));
    play(0);
    assertEquals([reap(pid), words[1]], [0, 200]);
  }),
);

Deno.test(
  "notify() is not lost with a process that is killed while it waits",
  withoutLeaks(async () => {
    using shared = new Shared();
    const doomed = [await shared.waiter(), await shared.waiter()];
    const pid = await shared.waiter();
    for (const pid of doomed) {
      end(pid);
    }
    shared.notify();
    assertEquals(reap(pid), 1 << 8);
    // Nor is a later one, whatever the dead have left.
    const next = await shared.waiter();
    shared.notify();
    assertEquals(reap(next), 1 << 8);
  }),
);

Deno.test(
  "notify() is not lost with a process that is killed between being woken and going on",
  withoutLeaks(async () => {
    using shared = new Shared();
    const first = await shared.waiter();
    const second = await shared.waiter();
    {
      using _ = shared.mutex.acquire();
      shared.condition.notify();
      // The first one is awake, and cannot go on without the mutex.
      end(first);
    }
    assertEquals(reap(second), 1 << 8);
  }),
);

Deno.test(
  "wait() of a condition tells of an owner that has died meanwhile",
  withoutLeaks(async () => {
    using shared = new Shared();
    const { mutex, condition } = shared;
    using guard = mutex.acquire();
    const pid = forkWith(() => {
      mutex.acquire();
      condition.notify();
    });
    assertEquals(condition.wait({ timeout: 10_000 }), true);
    assertEquals([guard.ownerDied, reap(pid)], [true, 0]);
    const other = forkWith(() => {
      mutex.acquire();
      condition.notify();
    });
    assertEquals(await condition.waitAsync({ timeout: 10_000 }), true);
    assertEquals([guard.ownerDied, reap(other)], [true, 0]);
  }),
);

Deno.test(
  "waitAsync() of a condition is notified by other processes and tasks, with the mutex in hand",
  withoutLeaks(async () => {
    using shared = new Shared();
    const { mutex, condition, words } = shared;
    const waitFor = async (goal: number) => {
      using _ = await mutex.acquireAsync();
      const options = { timeout: 10_000 };
      const met = await condition.waitForAsync(
        () => words[1]! >= goal,
        options,
      );
      assertEquals(mutex.tryAcquire(), null);
      return met;
    };
    const waiting = [1, 2, 3].map(waitFor);
    const pid = forkWith(() => {
      for (let round = 0; round < 3; round++) {
        const guard = mutex.acquire({ timeout: 5000 });
        words[1] = words[1]! + 1;
        condition.notifyAll();
        guard.release();
      }
    });
    assertEquals(await Promise.all(waiting), [true, true, true]);
    assertEquals(reap(pid), 0);
  }),
);

Deno.test(
  "waitAsync() of a condition ends with the signal, and leaves its notification to another",
  withoutLeaks(async () => {
    using shared = new Shared();
    const { mutex, condition } = shared;
    const controller = new AbortController();
    const { signal } = controller;
    using guard = await mutex.acquireAsync();
    const waiting = condition.waitAsync({ signal });
    controller.abort(new Error("enough"));
    await assertRejects(() => waiting, Error, "enough");
    assertEquals(mutex.tryAcquire(), null);
    await assertRejects(() => condition.waitAsync({ signal }), Error, "enough");
    guard.release();
    const pid = await shared.waiter();
    shared.notify();
    assertEquals(reap(pid), 1 << 8);
  }),
);

Deno.test(
  "fork() leaves a wait for a condition to the parent",
  withoutLeaks(async () => {
    using shared = new Shared();
    const { mutex, condition } = shared;
    using _ = mutex.acquire();
    const waiting = condition.waitAsync({ timeout: 10_000 });
    const child = await forkWithAsync(async () => {
      let settled = 0;
      waiting.finally(() => settled++);
      using _ = await mutex.acquireAsync({ timeout: 5000 });
      condition.notify();
      await new Promise((resolve) => setTimeout(resolve, 5));
      _.release();
      return settled;
    });
    assertEquals(await waiting, true);
    assertEquals(reap(child), 0);
  }),
);

Deno.test("a condition refuses to be used without its mutex, and times that are none", async () => {
  using mutex = new Mutex();
  using condition = new Condition(mutex);
  const syscall = "pthread_cond_wait";
  assertRefused(() => condition.wait(), "EPERM", syscall);
  assertRefused(() => condition.notify(), "EPERM", syscall);
  assertRefused(() => condition.notifyAll(), "EPERM", syscall);
  assertRefused(() => condition.waitFor(() => true), "EPERM", syscall);
  using _ = mutex.acquire();
  for (const timeout of [-1, NaN]) {
    assertThrows(() => condition.wait({ timeout }), RangeError, "timeout");
    await assertRejects(() => condition.waitAsync({ timeout }), RangeError);
  }
  for (const count of [0, -1, 0.5]) {
    assertThrows(() => condition.notify(count), RangeError, "'count'");
  }
  assertThrows(
    () => new Condition({} as Mutex),
    TypeError,
    "'mutex' must be a Mutex",
  );
});

Deno.test(
  "a condition that is closed throws, also for those who wait",
  withoutLeaks(async () => {
    using mutex = new Mutex();
    const condition = new Condition(mutex);
    using _ = mutex.acquire();
    const waiting = condition.waitAsync();
    condition.close();
    condition.close();
    await assertRejects(() => waiting, TypeError, "it is closed");
    assertThrows(() => condition.wait(), TypeError, "it is closed");
    assertThrows(() => condition.notify(), TypeError, "it is closed");
  }),
);
