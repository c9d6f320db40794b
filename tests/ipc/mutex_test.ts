import {
  assert,
  assertEquals,
  assertLess,
  assertRejects,
  assertThrows,
} from "@std/assert";
import { PosixError } from "../../ffi/errors.ts";
import { Barrier } from "../../ipc/barrier.ts";
import { type LockGuard, Mutex } from "../../ipc/mutex.ts";
import { SharedMemory } from "../../ipc/shared_memory.ts";
import {
  forkWith,
  forkWithAsync,
  reap,
  until,
  withoutLeaks,
} from "../_helpers.ts";
import { assertRefused } from "./_helpers.ts";
import { end, holder, killWhen, untilFutex } from "./_locks.ts";

Deno.test(
  "acquire() lets one process at a time go on, whoever wants to",
  withoutLeaks(() => {
    using mutex = new Mutex();
    using start = new Barrier(4);
    using memory = SharedMemory.anonymous(4);
    const count = new Int32Array(memory.buffer);
    const pids = [0, 1, 2, 3].map(() =>
      forkWith(() => {
        start.wait();
        for (let round = 0; round < 300; round++) {
          const guard = mutex.acquire();
          count[0] = count[0]! + 1;
          guard.release();
        }
      })
    );
    assertEquals(pids.map(reap), [0, 0, 0, 0]);
    assertEquals(count[0], 1200);
  }),
);

Deno.test(
  "acquire() gives a guard that releases once",
  withoutLeaks(() => {
    using mutex = new Mutex();
    const first = mutex.acquire();
    assertEquals(first.ownerDied, false);
    first.release();
    using second = mutex.acquire();
    first.release();
    first[Symbol.dispose]();
    assertEquals(mutex.tryAcquire(), null);
    second.release();
    mutex.tryAcquire()!.release();
  }),
);

Deno.test(
  "acquire() throws EDEADLK for whoever has it",
  withoutLeaks(() => {
    using mutex = new Mutex();
    using _ = mutex.acquire();
    const syscall = "pthread_mutex_lock";
    assertRefused(() => mutex.acquire(), "EDEADLK", syscall);
    assertRefused(() => mutex.acquire({ timeout: 10 }), "EDEADLK", syscall);
    assertEquals(mutex.tryAcquire(), null);
  }),
);

Deno.test(
  "acquire() throws ETIMEDOUT when the time is over, not before",
  withoutLeaks(() => {
    using mutex = new Mutex();
    using _ = mutex.acquire();
    const status = reap(forkWith(() => {
      for (const timeout of [0, 30, 210]) {
        const start = performance.now();
        const error = assertRefused(
          () => mutex.acquire({ timeout }),
          "ETIMEDOUT",
          "pthread_mutex_lock",
        );
        const elapsed = performance.now() - start;
        assert(elapsed >= timeout && elapsed < timeout + 2000, `${elapsed} ms`);
        assert(error.message.includes(`within ${timeout} ms`));
      }
      assertEquals(mutex.tryAcquire(), null);
    }));
    assertEquals(status, 0);
  }),
);

Deno.test("acquire() and acquireAsync() refuse timeouts that are none", async () => {
  using mutex = new Mutex();
  for (const timeout of [-1, NaN, -Infinity]) {
    assertThrows(() => mutex.acquire({ timeout }), RangeError, "timeout");
    await assertRejects(
      () => mutex.acquireAsync({ timeout }),
      RangeError,
      "timeout",
    );
  }
  const timeout = "1" as unknown as number;
  assertThrows(() => mutex.acquire({ timeout }), TypeError, "timeout");
  mutex.acquire({ timeout: Infinity }).release();
});

Deno.test(
  "acquire() is told of an owner that was killed, once",
  withoutLeaks(async () => {
    using mutex = new Mutex();
    const owner = await holder(() => mutex.acquire());
    assertEquals(mutex.tryAcquire(), null);
    const waiting = forkWith(() => {
      const start = performance.now();
      const guard = mutex.acquire({ timeout: 10_000 });
      assert(guard.ownerDied);
      assertLess(performance.now() - start, 5000);
      guard.release();
    });
    await untilFutex(waiting);
    end(owner);
    assertEquals(reap(waiting), 0);
    using guard = mutex.acquire();
    assertEquals(guard.ownerDied, false);
  }),
);

Deno.test(
  "acquire() is told of an owner that ended without a release, in memory mapped later",
  withoutLeaks(() => {
    using memory = SharedMemory.anonymous(1000);
    const placement = { memory, offset: 64 };
    const status = reap(forkWith(() => {
      new Mutex(placement).acquire();
    }));
    assertEquals(status, 0);
    using mutex = new Mutex(placement);
    using guard = mutex.acquire();
    assert(guard.ownerDied);
  }),
);

Deno.test(
  "acquire() goes on when another who waits is killed",
  withoutLeaks(async () => {
    using mutex = new Mutex();
    const guard = mutex.acquire();
    const pids = [0, 1, 2].map(() => forkWith(() => mutex.acquire().release()));
    for (const pid of pids) await untilFutex(pid);
    end(pids[0]!);
    guard.release();
    assertEquals([reap(pids[1]!), reap(pids[2]!)], [0, 0]);
    mutex.acquire().release();
  }),
);

Deno.test(
  "acquire() goes on whenever a process is killed, at whatever it is",
  withoutLeaks(async () => {
    using mutex = new Mutex();
    using memory = SharedMemory.anonymous(12);
    const words = new Int32Array(memory.buffer);
    for (let round = 0; round < 5; round++) {
      words.fill(0);
      const pids = [0, 1].map(() =>
        forkWith(() => {
          for (;;) {
            const guard = mutex.acquire();
            // What is protected: both words are the same, unless an owner has died in between.
            if (!guard.ownerDied) assertEquals(words[0], words[1]);
            words[0] = words[1] = words[0]! + 1;
            guard.release();
          }
        })
      );
      for (const pid of pids) {
        await killWhen(pid, () => Atomics.load(words, 0) > round * 37);
      }
      const guard = mutex.acquire({ timeout: 5000 });
      if (!guard.ownerDied) assertEquals(words[0], words[1]);
      guard.release();
    }
  }),
);

Deno.test(
  "acquireAsync() waits for another process without blocking",
  withoutLeaks(async () => {
    using mutex = new Mutex();
    using memory = SharedMemory.anonymous(4);
    const words = new Int32Array(memory.buffer);
    const owner = forkWith(() => {
      const guard = mutex.acquire();
      Atomics.store(words, 0, 1);
      const deadline = performance.now() + 10_000;
      while (Atomics.load(words, 0) < 2 && performance.now() < deadline);
      guard.release();
    });
    await until(() => Atomics.load(words, 0) === 1);
    setTimeout(() => Atomics.store(words, 0, 2), 20);
    using guard = await mutex.acquireAsync({ timeout: 10_000 });
    assertEquals([guard.ownerDied, Atomics.load(words, 0)], [false, 2]);
    assertEquals(reap(owner), 0);
  }),
);

Deno.test(
  "acquireAsync() is told of an owner that was killed",
  withoutLeaks(async () => {
    using mutex = new Mutex();
    const owner = await holder(() => mutex.acquire());
    const waiting = mutex.acquireAsync({ timeout: 10_000 });
    end(owner);
    using guard = await waiting;
    assert(guard.ownerDied);
  }),
);

Deno.test(
  "acquireAsync() serves the tasks of one process in order",
  withoutLeaks(async () => {
    using mutex = new Mutex();
    const order: number[] = [];
    const tasks = Array.from({ length: 50 }, async (_, index) => {
      using _guard = await mutex.acquireAsync();
      order.push(index);
      if (index % 10 === 0) await new Promise((resolve) => setTimeout(resolve));
      order.push(index);
    });
    await Promise.all(tasks);
    assertEquals(
      order,
      Array.from({ length: 100 }, (_, index) => index >> 1),
    );
  }),
);

Deno.test(
  "acquireAsync() ends with the signal, first or not in line, and leaves the others waiting",
  withoutLeaks(async () => {
    using mutex = new Mutex();
    const guard = mutex.acquire();
    const first = new AbortController();
    const second = new AbortController();
    const waiting = [
      mutex.acquireAsync({ signal: first.signal }),
      mutex.acquireAsync({ signal: second.signal }),
      mutex.acquireAsync(),
    ];
    await new Promise((resolve) => setTimeout(resolve, 2));
    second.abort(new Error("second"));
    await assertRejects(() => waiting[1]!, Error, "second");
    first.abort(new Error("first"));
    await assertRejects(() => waiting[0]!, Error, "first");
    const { signal } = first;
    await assertRejects(() => mutex.acquireAsync({ signal }), Error, "first");
    guard.release();
    (await waiting[2]!).release();
    mutex.acquire().release();
  }),
);

Deno.test(
  "acquireAsync() throws ETIMEDOUT, first or not in line",
  withoutLeaks(async () => {
    using mutex = new Mutex();
    using _ = mutex.acquire();
    const start = performance.now();
    const errors = await Promise.allSettled(
      [20, 10, 0].map((timeout) => mutex.acquireAsync({ timeout })),
    );
    for (const result of errors) {
      assert(result.status === "rejected");
      assert(result.reason instanceof PosixError);
      assertEquals(result.reason.code, "ETIMEDOUT");
    }
    assert(performance.now() - start >= 20);
  }),
);

Deno.test(
  "acquireAsync() fails where the mutex gets closed meanwhile",
  withoutLeaks(async () => {
    const mutex = new Mutex();
    const guard = mutex.acquire();
    const waiting = [mutex.acquireAsync(), mutex.acquireAsync()].map((
      promise,
    ) => assertRejects(() => promise, TypeError, "it is closed"));
    mutex.close();
    await Promise.all(waiting);
    guard.release();
  }),
);

Deno.test(
  "fork() leaves what the parent has, and waits for, to the parent",
  withoutLeaks(async () => {
    using mutex = new Mutex();
    const guard = mutex.acquire();
    const waiting = mutex.acquireAsync();
    const queued = mutex.acquireAsync({ timeout: 10_000 });
    const child = await forkWithAsync(async () => {
      guard.release(); // the parent's: nothing happens
      assertEquals(mutex.tryAcquire(), null);
      let settled = false;
      waiting.finally(() => settled = true);
      queued.finally(() => settled = true);
      const error = await mutex.acquireAsync({ timeout: 20 })
        .catch((error: unknown) => error);
      assertEquals((error as PosixError).code, "ETIMEDOUT");
      assertEquals(settled, false);
    });
    assertEquals(reap(child), 0);
    assertEquals(mutex.tryAcquire(), null);
    guard.release();
    (await waiting).release();
    (await queued).release();
  }),
);

Deno.test(
  "a mutex in memory is the same for all who make it there",
  withoutLeaks(() => {
    using memory = SharedMemory.anonymous(4096);
    using first = new Mutex({ memory, offset: 128 });
    using second = new Mutex({ memory, offset: 128 });
    using other = new Mutex({ memory });
    const guard = first.acquire();
    assertRefused(() => second.acquire(), "EDEADLK", "pthread_mutex_lock");
    other.acquire().release();
    guard.release();
    second.acquire().release();
  }),
);

Deno.test(
  "a mutex follows its memory when that is resized, acquired or not",
  withoutLeaks(() => {
    using memory = SharedMemory.anonymous(4096);
    using mutex = new Mutex({ memory, offset: 64 });
    const guard = mutex.acquire();
    memory.resize(100_000);
    assertEquals(mutex.tryAcquire(), null);
    guard.release();
    mutex.acquire().release();
    memory.resize(64);
    assertThrows(() => mutex.acquire(), TypeError, "its memory was cut off");
  }),
);

Deno.test(
  "a mutex whose memory is closed can still be released, and no more",
  withoutLeaks(() => {
    const memory = SharedMemory.anonymous(64);
    const mutex = new Mutex({ memory });
    const own = new Mutex();
    const guards: LockGuard[] = [mutex.acquire(), own.acquire()];
    memory.close();
    own.close();
    own.close();
    for (const guard of guards) guard.release();
    assertThrows(() => mutex.acquire(), TypeError, "its memory is closed");
    assertThrows(() => own.acquire(), TypeError, "it is closed");
    assertThrows(() => own.tryAcquire(), TypeError, "it is closed");
    // libc's list of what this thread has locked is whole.
    using next = new Mutex();
    next.acquire().release();
  }),
);

Deno.test("Mutex refuses memory that is none, too small, or in use for something else", () => {
  using memory = SharedMemory.anonymous(100);
  assertThrows(() => new Mutex({ memory, offset: 40 }), RangeError, "'offset'");
  assertThrows(() => new Mutex({ memory, offset: 4 }), RangeError, "multiple");
  assertThrows(() => new Mutex({ memory, offset: -8 }), RangeError, "'offset'");
  using small = SharedMemory.anonymous(63);
  assertThrows(() => new Mutex({ memory: small }), RangeError, "64 bytes");
  assertThrows(
    () => new Mutex({ memory: {} as SharedMemory }),
    TypeError,
    "'memory' must be a SharedMemory",
  );
  new Uint8Array(memory.buffer).fill(1);
  assertThrows(() => new Mutex({ memory }), TypeError, "something else");
  memory.close();
  assertThrows(() => new Mutex({ memory }), TypeError, "it is closed");
});
