import { assert, assertEquals, assertMatch, assertThrows } from "@std/assert";
import { coreOf } from "../../ipc/_queue/core.ts";
import { RING, SIDE, SLOTS } from "../../ipc/_queue/segment.ts";
import { mapMemory } from "../../ffi/_memory.ts";
import { MAP_SHARED, PROT_READ, PROT_WRITE } from "../../ffi/constants.ts";
import { Queue } from "../../ipc/queue.ts";
import { QueueClosed, QueueEmpty, QueueFull } from "../../ipc/queue_errors.ts";
import { getpid } from "../../process/ids.ts";
import { kill } from "../../process/kill.ts";
import { forkWith, readText, reap, until, withoutLeaks } from "../_helpers.ts";
import { runProgram } from "../_run_program.ts";
import { pattern } from "./_helpers.ts";

const KILLED = 9;

/** Forks a child that does something and is killed in the middle of it. */
function killedAfter(body: () => void): void {
  const child = forkWith(() => {
    body();
    kill(getpid(), "SIGKILL");
  });
  assertEquals(reap(child), KILLED);
}

Deno.test(
  "Queue is as it was where a producer is killed in the middle of a put",
  withoutLeaks(() => {
    using queue = new Queue<unknown>(0, { bytes: 4096 });
    const core = coreOf(queue);
    queue.put("before");
    killedAfter(() => {
      assert(core.producers.tryLock());
      const memory = mapMemory(
        queue.fd,
        RING + 4096,
        PROT_READ | PROT_WRITE,
        MAP_SHARED,
      );
      // Half of a record, and half of the state that would publish it.
      const bytes = new Uint8Array(memory);
      bytes.fill(0xa5, RING + core.producers.position, RING + 4096);
      const slot = SIDE.producers + SLOTS + (core.producers.count % 2 ? 0 : 32);
      bytes.fill(0xa5, slot, slot + 12);
    });
    assertEquals(queue.qsize(), 1);
    queue.put("after", { timeout: 5000 });
    assertEquals(queue.getMany(5), ["before", "after"]);
    for (let i = 0; i < 200; i++) {
      queue.put(pattern(i));
      assertEquals(queue.get(), pattern(i));
    }
  }),
);

Deno.test(
  "Queue has the item of a producer that is killed once it is put, before the lock is given back",
  withoutLeaks(() => {
    using queue = new Queue<string>();
    killedAfter(() => {
      const { producers } = coreOf(queue);
      producers.unlock = () => kill(getpid(), "SIGKILL");
      queue.put("item");
    });
    assertEquals(queue.get({ timeout: 5000 }), "item");
    queue.put("next", { timeout: 5000 });
    assertEquals(queue.get({ timeout: 5000 }), "next");
  }),
);

Deno.test(
  "Queue still has the item that a consumer was getting when it was killed, or has it no more",
  withoutLeaks(() => {
    using queue = new Queue<unknown>(0, { bytes: 4096 });
    queue.putMany(["first", "second", pattern(5000), "last"]);
    killedAfter(() => {
      const { consumers } = coreOf(queue);
      consumers.publish = () => kill(getpid(), "SIGKILL");
      queue.get();
    });
    assertEquals(queue.qsize(), 4);
    killedAfter(() => {
      const { consumers } = coreOf(queue);
      consumers.unlock = () => kill(getpid(), "SIGKILL");
      queue.get();
    });
    assertEquals(queue.qsize(), 3);
    assertEquals(queue.get({ timeout: 5000 }), "second");
    killedAfter(() => {
      const { consumers } = coreOf(queue);
      consumers.publish = () => kill(getpid(), "SIGKILL");
      queue.get();
    });
    assertEquals(queue.get({ timeout: 5000 }), pattern(5000));
    assertEquals(queue.get({ timeout: 5000 }), "last");
    queue.put(pattern(5000), { timeout: 5000 });
    assertEquals(queue.get(), pattern(5000));
  }),
);

Deno.test(
  "Queue.put() of a large item that is killed before it is there leaves its room to the next",
  withoutLeaks(() => {
    using queue = new Queue<Uint8Array>(0, { bytes: 4096 });
    for (let i = 0; i < 3; i++) {
      killedAfter(() => {
        const { producers } = coreOf(queue);
        producers.publish = () => kill(getpid(), "SIGKILL");
        queue.put(new Uint8Array(60_000).fill(0xa5));
      });
      assert(queue.empty());
      queue.put(pattern(40_000), { timeout: 5000 });
      assertEquals(queue.get().length, 40_000);
    }
  }),
);

Deno.test(
  "Queue wakes the others where one who sleeps is killed",
  withoutLeaks(async () => {
    using queue = new Queue<number>();
    using ready = new Queue<number>();
    const sleeper = () =>
      forkWith(() => {
        ready.put(0);
        ready.put(queue.get());
      });
    const children = [sleeper(), sleeper(), sleeper()];
    for (const _ of children) ready.get();
    await until(() => children.every(asleep));
    kill(children[0]!, "SIGKILL");
    assertEquals(reap(children[0]!), KILLED);
    queue.put(1);
    assertEquals(ready.get({ timeout: 5000 }), 1);
    queue.put(2);
    assertEquals(ready.get({ timeout: 5000 }), 2);
    assertEquals([reap(children[1]!), reap(children[2]!)], [0, 0]);
  }),
);

Deno.test(
  "Queue waits for one who is stopped no longer than it is told to",
  withoutLeaks(() => {
    using queue = new Queue<number>();
    using ready = new Queue<number>();
    using never = new Queue<never>();
    const child = forkWith(() => {
      const { producers, consumers } = coreOf(queue);
      assert(producers.tryLock() && consumers.tryLock());
      ready.put(1);
      never.get();
    });
    ready.get();
    assertThrows(() => queue.put(1, { timeout: 20 }), QueueFull);
    assertThrows(() => queue.get({ timeout: 20 }), QueueEmpty);
    kill(child, "SIGKILL");
    assertEquals(reap(child), KILLED);
    queue.put(1, { timeout: 5000 });
    assertEquals(queue.get({ timeout: 5000 }), 1);
  }),
);

Deno.test(
  "Queue can be closed where one who was closing it was killed half way",
  withoutLeaks(() => {
    using queue = new Queue<number>(1);
    queue.put(1);
    killedAfter(() => {
      const { consumers } = coreOf(queue);
      consumers.publish = () => kill(getpid(), "SIGKILL");
      queue.close();
    });
    assertThrows(() => queue.put(2), QueueClosed);
    queue.close();
    assertEquals(queue.get(), 1);
    assertThrows(() => queue.get(), QueueClosed);
  }),
);

Deno.test(
  "Queue survives a storm of kills",
  withoutLeaks(async () => {
    const program = new URL("../soak/queue.ts", import.meta.url);
    const { code, stdout, stderr } = await runProgram(program, [
      "--seconds",
      "1",
    ]);
    assertEquals(stderr, "");
    assertMatch(stdout, /: 0 faults, \d+ lost .*, nobody stuck: passed\n$/);
    assertEquals(code, 0);
  }),
);

/** Whether a process sleeps in the kernel. */
function asleep(pid: number): boolean {
  return / S /.test(readText(`/proc/${pid}/stat`));
}
