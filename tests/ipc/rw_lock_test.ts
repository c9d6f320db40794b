import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { PosixError } from "../../ffi/errors.ts";
import { RwLock } from "../../ipc/rw_lock.ts";
import { SharedMemory } from "../../ipc/shared_memory.ts";
import { forkWith, forkWithAsync, reap, withoutLeaks } from "../_helpers.ts";
import { assertRefused } from "./_helpers.ts";
import { end, holder, killWhen, untilFutex } from "./_locks.ts";

const READ = "pthread_rwlock_rdlock";
const WRITE = "pthread_rwlock_wrlock";

Deno.test(
  "RwLock lets many read, or one write",
  withoutLeaks(() => {
    using lock = new RwLock();
    using memory = SharedMemory.anonymous(16);
    const words = new Int32Array(memory.buffer);
    const pids = [0, 1, 2].map((side) =>
      forkWith(() => {
        for (let round = 0; round < 60; round++) {
          if (round % 3 === side) {
            const guard = lock.acquireWrite();
            assertEquals(words[0], words[1]);
            words[0] = words[0]! + 1;
            words[1] = words[1]! + 1;
            guard.release();
          } else {
            const guard = lock.acquireRead();
            assertEquals(words[0], words[1]);
            assertEquals(guard.ownerDied, false);
            guard.release();
          }
        }
      })
    );
    assertEquals(pids.map(reap), [0, 0, 0]);
    assertEquals([words[0], words[1]], [60, 60]);
  }),
);

Deno.test(
  "acquireRead() goes on beside other readers, and acquireWrite() waits for them",
  withoutLeaks(async () => {
    using lock = new RwLock();
    const first = lock.acquireRead();
    const second = lock.acquireRead();
    assertEquals(reap(forkWith(() => lock.acquireRead().release())), 0);
    const writer = forkWith(() => lock.acquireWrite().release());
    await untilFutex(writer);
    // Who is about to write comes first, but for those who read already.
    const tried = forkWith(() => assertEquals(lock.tryAcquireRead(), null));
    assertEquals(reap(tried), 0);
    lock.acquireRead().release();
    first.release();
    first.release();
    second.release();
    assertEquals(reap(writer), 0);
    lock.tryAcquireRead()!.release();
    lock.tryAcquireWrite()!.release();
  }),
);

Deno.test(
  "acquireWrite() has those who want to read wait, and all of them go on afterwards",
  withoutLeaks(async () => {
    using lock = new RwLock();
    const guard = lock.acquireWrite();
    const pids = [0, 1, 2].map(() =>
      forkWith(() => lock.acquireRead({ timeout: 10_000 }).release())
    );
    for (const pid of pids) await untilFutex(pid);
    guard.release();
    assertEquals(pids.map(reap), [0, 0, 0]);
  }),
);

Deno.test(
  "acquireWrite() does not wait for readers that were killed, nor tells of them",
  withoutLeaks(async () => {
    using lock = new RwLock();
    const reader = await holder(() => lock.acquireRead());
    assertEquals(lock.tryAcquireWrite(), null);
    const waiting = lock.acquireWriteAsync({ timeout: 10_000 });
    end(reader);
    using guard = await waiting;
    assertEquals(guard.ownerDied, false);
  }),
);

Deno.test(
  "RwLock tells readers and the next writer of one who died while it wrote",
  withoutLeaks(async () => {
    using lock = new RwLock();
    end(await holder(() => lock.acquireWrite()));
    const reader = lock.acquireRead({ timeout: 5000 });
    assert(reader.ownerDied);
    reader.release();
    const writer = lock.acquireWrite({ timeout: 5000 });
    assert(writer.ownerDied);
    writer.release();
    using guard = lock.acquireRead();
    assertEquals(guard.ownerDied, false);
  }),
);

Deno.test(
  "RwLock does not tell of one who died while it was only about to write",
  withoutLeaks(async () => {
    using lock = new RwLock();
    const reader = lock.acquireRead();
    const writer = forkWith(() => void lock.acquireWrite());
    await untilFutex(writer);
    end(writer);
    using guard = lock.acquireRead({ timeout: 5000 });
    assertEquals(guard.ownerDied, false);
    reader.release();
  }),
);

Deno.test(
  "RwLock goes on whenever a process is killed, at whatever it is",
  withoutLeaks(async () => {
    using lock = new RwLock();
    using memory = SharedMemory.anonymous(4);
    const rounds = new Int32Array(memory.buffer);
    for (let round = 0; round < 3; round++) {
      const pid = forkWith(() => {
        for (;;) {
          lock.acquireRead().release();
          lock.acquireWrite().release();
          Atomics.add(rounds, 0, 1);
        }
      });
      const goal = Atomics.load(rounds, 0) + 10 + round;
      await killWhen(pid, () => Atomics.load(rounds, 0) > goal);
      lock.acquireWrite({ timeout: 5000 }).release();
      lock.acquireRead({ timeout: 5000 }).release();
    }
  }),
);

Deno.test(
  "acquireRead() and acquireWrite() throw EDEADLK where they would wait for themselves",
  withoutLeaks(() => {
    using lock = new RwLock();
    {
      using _ = lock.acquireWrite();
      assertRefused(() => lock.acquireRead(), "EDEADLK", READ);
      assertRefused(() => lock.acquireWrite(), "EDEADLK", "pthread_mutex_lock");
      assertEquals([lock.tryAcquireRead(), lock.tryAcquireWrite()], [
        null,
        null,
      ]);
    }
    {
      using _ = lock.acquireRead();
      assertRefused(() => lock.acquireWrite(), "EDEADLK", "pthread_mutex_lock");
      lock.acquireRead().release();
    }
    lock.acquireWrite().release();
  }),
);

Deno.test(
  "RwLock throws ETIMEDOUT when the time is over, and keeps nothing",
  withoutLeaks(async () => {
    using lock = new RwLock();
    const reader = await holder(() => lock.acquireRead());
    for (const timeout of [0, 25]) {
      assertRefused(() => lock.acquireWrite({ timeout }), "ETIMEDOUT", WRITE);
      await assertRejects(
        () => lock.acquireWriteAsync({ timeout }),
        PosixError,
        "ETIMEDOUT",
      );
    }
    lock.acquireRead({ timeout: 0 }).release();
    end(reader);
    const writer = await holder(() => lock.acquireWrite());
    for (const timeout of [0, 25]) {
      assertRefused(() => lock.acquireRead({ timeout }), "ETIMEDOUT", READ);
      await assertRejects(
        () => lock.acquireReadAsync({ timeout }),
        PosixError,
        "ETIMEDOUT",
      );
    }
    end(writer);
    for (const timeout of [-1, NaN]) {
      assertThrows(() => lock.acquireRead({ timeout }), RangeError, "timeout");
      assertThrows(() => lock.acquireWrite({ timeout }), RangeError, "timeout");
    }
  }),
);

Deno.test(
  "acquireReadAsync() and acquireWriteAsync() share among the tasks of one process, and end with the signal",
  withoutLeaks(async () => {
    using lock = new RwLock();
    const reader = await lock.acquireReadAsync();
    const controller = new AbortController();
    const { signal } = controller;
    const aborted = lock.acquireWriteAsync({ signal });
    controller.abort(new Error("enough"));
    await assertRejects(() => aborted, Error, "enough");
    const writer = lock.acquireWriteAsync({ timeout: 5000 });
    const readers = [0, 1].map(() => lock.acquireReadAsync({ timeout: 5000 }));
    reader.release();
    (await writer).release();
    for (const guard of await Promise.all(readers)) guard.release();
    lock.acquireWrite().release();
  }),
);

Deno.test(
  "RwLock that is closed by its writer is not left in the middle of anything",
  withoutLeaks(() => {
    using memory = SharedMemory.anonymous(4096);
    using lock = new RwLock();
    using other = new RwLock({ memory });
    const status = reap(forkWith(() => {
      const guards = [lock.acquireWrite(), other.acquireWrite()];
      lock.close();
      other.close();
      for (const guard of guards) guard.release();
    }));
    assertEquals(status, 0);
    assertEquals(lock.acquireRead().ownerDied, false);
    assertEquals(other.acquireRead().ownerDied, false);
  }),
);

Deno.test(
  "fork() leaves the parent's locks to the parent",
  withoutLeaks(async () => {
    using lock = new RwLock();
    const guard = lock.acquireWrite();
    const waiting = lock.acquireReadAsync();
    const child = await forkWithAsync(async () => {
      guard.release();
      const error = await lock.acquireReadAsync({ timeout: 10 })
        .catch((error: unknown) => error);
      assertEquals((error as PosixError).code, "ETIMEDOUT");
    });
    assertEquals(reap(child), 0);
    guard.release();
    const reader = await waiting;
    assertEquals(reader.ownerDied, false);
    const own = reap(forkWith(() => {
      const mine = lock.acquireRead();
      reader.release();
      assertEquals(mine.ownerDied, false);
      mine.release();
      assertEquals(lock.tryAcquireWrite(), null);
    }));
    assertEquals(own, 0);
    reader.release();
    lock.acquireWrite({ timeout: 0 }).release();
  }),
);

Deno.test("RwLock has as many read as there is room for, and the next one wait", () => {
  using memory = SharedMemory.anonymous(4096);
  const locks = Array.from({ length: 63 }, () => new RwLock({ memory }));
  const last = locks.pop()!;
  const guards = locks.map((lock) => lock.acquireRead());
  assertEquals(last.tryAcquireRead(), null);
  assertRefused(() => last.acquireRead({ timeout: 5 }), "ETIMEDOUT", READ);
  guards[30]!.release();
  guards.push(last.acquireRead());
  for (const guard of guards) guard.release();
  last.acquireWrite().release();
});

Deno.test(
  "a lock in memory is the same for all who make it there, and throws once it is closed",
  withoutLeaks(async () => {
    using memory = SharedMemory.anonymous(8192);
    const first = new RwLock({ memory, offset: 4096 });
    using second = new RwLock({ memory, offset: 4096 });
    const guard = first.acquireWrite();
    assertEquals(second.tryAcquireRead(), null);
    const waiting = [first.acquireReadAsync(), first.acquireWriteAsync()]
      .map((promise) =>
        assertRejects(() => promise, TypeError, "it is closed")
      );
    first.close();
    first.close();
    await Promise.all(waiting);
    guard.release();
    assertThrows(() => first.acquireRead(), TypeError, "it is closed");
    assertThrows(() => first.acquireWrite(), TypeError, "it is closed");
    second.acquireRead().release();
    using writer = second.acquireWrite();
    assertEquals(writer.ownerDied, false);
  }),
);
