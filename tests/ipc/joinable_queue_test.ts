import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { dup } from "../../ipc/descriptors.ts";
import { coreOf } from "../../ipc/_queue/core.ts";
import { JoinableQueue } from "../../ipc/joinable_queue.ts";
import { forkWith, reap, withoutLeaks } from "../_helpers.ts";

Deno.test(
  "JoinableQueue.join() waits until every task is done, in other processes too",
  withoutLeaks(async () => {
    using tasks = new JoinableQueue<number>(2);
    assert(tasks.join());
    const child = forkWith(() => {
      for (let i = 0; i < 40; i++) {
        assertEquals(tasks.get(), i);
        tasks.taskDone();
      }
    });
    for (let i = 0; i < 20; i++) tasks.put(i);
    assert(tasks.join());
    for (let i = 20; i < 40; i++) tasks.put(i);
    assert(await tasks.joinAsync());
    assert(tasks.empty());
    assertEquals(reap(child), 0);
  }),
);

Deno.test(
  "JoinableQueue.taskDone() more often than there were tasks is a RangeError",
  withoutLeaks(() => {
    using tasks = new JoinableQueue<string>();
    assertThrows(() => tasks.taskDone(), RangeError);
    tasks.putMany(["a", "b"]);
    tasks.getMany(2);
    tasks.taskDone();
    assert(!tasks.join({ timeout: 0 }));
    tasks.taskDone();
    assertThrows(() => tasks.taskDone(), RangeError);
    assert(tasks.join({ timeout: 0 }));
  }),
);

Deno.test(
  "JoinableQueue.join() and joinAsync() give up after their timeouts, or when aborted",
  withoutLeaks(async () => {
    using tasks = new JoinableQueue<string>();
    tasks.put("task");
    const start = performance.now();
    assert(!tasks.join({ timeout: 20 }));
    assert(!(await tasks.joinAsync({ timeout: 20 })));
    assert(performance.now() - start >= 39);
    const controller = new AbortController();
    const joined = tasks.joinAsync({ signal: controller.signal });
    controller.abort();
    await assertRejects(() => joined, DOMException);
    assertThrows(() => tasks.join({ timeout: -1 }), RangeError);
    await coreOf(tasks).joiners.settled();
  }),
);

Deno.test(
  "JoinableQueue is shared by descriptor",
  withoutLeaks(() => {
    using here = new JoinableQueue<string>();
    using there = JoinableQueue.from<string>(dup(here.fd));
    here.put("task");
    assertEquals(there.get(), "task");
    assert(!here.join({ timeout: 0 }));
    there.taskDone();
    assert(here.join());
  }),
);
