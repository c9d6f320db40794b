import { assert, assertEquals, assertRejects } from "@std/assert";
import { coreOf } from "../../ipc/_queue/core.ts";
import { Queue } from "../../ipc/queue.ts";
import { QueueClosed, QueueEmpty, QueueFull } from "../../ipc/queue_errors.ts";
import { forkWith, forkWithAsync, reap, withoutLeaks } from "../_helpers.ts";

/** A turn of the event loop. */
function turn(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve));
}

/** Waits until no thread of the pool sleeps for the queue any more. */
async function settled(...queues: Queue<unknown>[]): Promise<void> {
  for (const queue of queues) {
    const { getters, putters } = coreOf(queue);
    await getters.settled();
    await putters.settled();
  }
}

Deno.test(
  "Queue.getAsync() and putAsync() take turns in the order of the calls",
  withoutLeaks(async () => {
    using unlimited = new Queue<number>();
    const got = [1, 2, 3].map(() => unlimited.getAsync());
    for (let i = 1; i <= 3; i++) unlimited.put(i);
    assertEquals(await Promise.all(got), [1, 2, 3]);

    using queue = new Queue<number>(1);
    const put = [1, 2, 3].map((i) => queue.putAsync(i));
    assertEquals(queue.get(), 1);
    await put[1];
    assertEquals(queue.get(), 2);
    await Promise.all(put);
    assertEquals(queue.get(), 3);
    assert(queue.empty());
  }),
);

Deno.test(
  "Queue.getAsync() lets the event loop run while it waits for another process",
  withoutLeaks(async () => {
    using queue = new Queue<string>();
    using go = new Queue<number>();
    const child = forkWith(() => {
      go.get();
      queue.put("there");
    });
    const got = queue.getAsync();
    for (let i = 0; i < 5; i++) await turn();
    go.put(1);
    assertEquals(await got, "there");
    assertEquals(reap(child), 0);
  }),
);

Deno.test(
  "Queue.putAsync() copies its item at the call, and waits for room that another process makes",
  withoutLeaks(async () => {
    using queue = new Queue<{ n: number }>(1);
    using back = new Queue<{ n: number }>();
    await queue.putAsync({ n: 1 });
    const item = { n: 2 };
    const put = queue.putAsync(item);
    item.n = 3;
    const child = forkWith(() => {
      back.put(queue.get());
      back.put(queue.get());
    });
    await put;
    assertEquals([await back.getAsync(), await back.getAsync()], [
      { n: 1 },
      { n: 2 },
    ]);
    assertEquals(reap(child), 0);
  }),
);

Deno.test(
  "Queue.getAsync() that is aborted rejects with the reason and takes nothing",
  withoutLeaks(async () => {
    using queue = new Queue<number>();
    const controller = new AbortController();
    const { signal } = controller;
    const first = queue.getAsync({ signal });
    const second = queue.getAsync();
    const reason = new Error("enough");
    controller.abort(reason);
    queue.put(1);
    assertEquals(await assertRejects(() => first), reason);
    assertEquals(await second, 1);
    queue.put(2);
    assertEquals(await assertRejects(() => queue.getAsync({ signal })), reason);
    assertEquals(queue.get(), 2);

    // Whatever the abort and the item do at the same time, one of them wins.
    for (let i = 0; i < 50; i++) {
      const late = new AbortController();
      const got = queue.getAsync({ signal: late.signal });
      if (i % 2 === 0) await turn();
      queue.put(i);
      late.abort();
      const [result] = await Promise.allSettled([got]);
      if (result.status === "fulfilled") assertEquals(result.value, i);
      else assertEquals(queue.getNowait(), i);
    }
    await settled(queue);
  }),
);

Deno.test(
  "Queue.putAsync() that is aborted puts nothing",
  withoutLeaks(async () => {
    using queue = new Queue<number>(1);
    queue.put(1);
    const controller = new AbortController();
    const put = queue.putAsync(2, { signal: controller.signal });
    const next = queue.putAsync(3);
    controller.abort();
    await assertRejects(() => put, DOMException);
    assertEquals(queue.get(), 1);
    await next;
    assertEquals(queue.get(), 3);
    assert(queue.empty());
    await settled(queue);
  }),
);

Deno.test(
  "Queue.getAsync() and putAsync() give up after their timeouts",
  withoutLeaks(async () => {
    using queue = new Queue<number>(1);
    const start = performance.now();
    await assertRejects(() => queue.getAsync({ timeout: 20 }), QueueEmpty);
    await assertRejects(() => queue.getAsync({ timeout: 0 }), QueueEmpty);
    queue.put(1);
    await assertRejects(() => queue.putAsync(2, { timeout: 20 }), QueueFull);
    assert(performance.now() - start >= 39);
    await assertRejects(() => queue.getAsync({ timeout: -1 }), RangeError);
    await assertRejects(() => queue.putAsync(1, { timeout: NaN }), RangeError);
    assertEquals(await queue.getAsync({ timeout: 20 }), 1);
    await assertRejects(
      () => queue.putAsync((() => {}) as unknown as number),
      DOMException,
    );
    await settled(queue);
  }),
);

Deno.test(
  "Queue.close() ends what waits, in this process and in others",
  withoutLeaks(async () => {
    using queue = new Queue<number>(1);
    const got = queue.getAsync();
    queue.close();
    await assertRejects(() => got, QueueClosed);

    using full = new Queue<number>(1);
    full.put(1);
    const put = full.putAsync(2);
    const child = forkWith(() => full.close());
    await assertRejects(() => put, QueueClosed);
    assertEquals(reap(child), 0);
    assertEquals(await full.getAsync(), 1);
    await assertRejects(() => full.getAsync(), QueueClosed);
  }),
);

Deno.test(
  "Queue.release() ends what waits in this process",
  withoutLeaks(async () => {
    const queue = new Queue<number>(1);
    const got = queue.getAsync();
    queue.release();
    await assertRejects(() => got, TypeError, "released");
    await assertRejects(() => queue.getAsync(), TypeError, "released");
    await assertRejects(() => queue.putAsync(1), TypeError, "released");
    await settled(queue);
  }),
);

Deno.test(
  "Queue is iterated until it is closed, and a loop that is left loses nothing",
  withoutLeaks(async () => {
    using queue = new Queue<number>();
    const child = forkWith(() => {
      for (let i = 0; i < 200; i++) queue.put(i);
      queue.close();
    });
    const got: number[] = [];
    for await (const item of queue) {
      got.push(item);
      if (item === 100) break;
    }
    for await (const item of queue) got.push(item);
    assertEquals(got, Array.from({ length: 200 }, (_, i) => i));
    assertEquals(reap(child), 0);
  }),
);

Deno.test(
  "Queue's iteration lets the event loop have its turn",
  withoutLeaks(async () => {
    using queue = new Queue<number>();
    let fired = false;
    const timer = setTimeout(() => fired = true, 1);
    const end = performance.now() + 5000;
    queue.put(0);
    for await (const item of queue) {
      if (fired || performance.now() > end) break;
      queue.put(item + 1);
    }
    clearTimeout(timer);
    assert(fired);
  }),
);

Deno.test(
  "Queue.getAsync() that is pending at a fork stays the parent's, and the child can use the queue",
  withoutLeaks(async () => {
    using queue = new Queue<number>();
    using back = new Queue<string>();
    const got = queue.getAsync();
    await turn();
    const child = await forkWithAsync(async () => {
      // The call of the parent is not this process's: it neither takes an item nor keeps the process alive.
      back.put("here");
      const own = queue.getAsync();
      back.put(`got ${await own}`);
    });
    assertEquals(await back.getAsync(), "here");
    queue.put(1);
    queue.put(2);
    const theirs = await back.getAsync();
    const mine = await got;
    assertEquals([`got ${mine === 1 ? 2 : 1}`, reap(child)], [theirs, 0]);
  }),
);

Deno.test(
  "Queue's waiting thread outlives neither its queue nor its wait",
  withoutLeaks(async () => {
    for (let i = 0; i < 20; i++) {
      using queue = new Queue<number>(1);
      const controller = new AbortController();
      const got = queue.getAsync({ signal: controller.signal });
      if (i % 3 === 0) await turn();
      controller.abort();
      await assertRejects(() => got);
      const again = queue.getAsync();
      queue.put(i);
      assertEquals(await again, i);
      await settled(queue);
    }
  }),
);
