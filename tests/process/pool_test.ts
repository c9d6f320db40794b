import {
  assert,
  assertEquals,
  assertInstanceOf,
  assertRejects,
  assertStringIncludes,
  assertThrows,
} from "@std/assert";
import { SharedArray } from "../../ipc/shared_values.ts";
import { _exit } from "../../process/_exit.ts";
import { getpid } from "../../process/ids.ts";
import { kill } from "../../process/kill.ts";
import { Pool } from "../../process/pool.ts";
import { PoolWorkerError } from "../../process/_portable_error.ts";
import { forkWith, reap, until, withoutLeaks } from "../_helpers.ts";
import { assertProgramSays } from "../_run_program.ts";

const numbers = (count: number) => Array.from({ length: count }, (_, i) => i);
const square = (n: number) => n * n;
const endless = (n: number) => {
  while (n >= 0);
  return n;
};

Deno.test(
  "Pool.map() gives the results in the order of the items, however they are cut",
  withoutLeaks(async () => {
    await using pool = new Pool(square, { workers: 3 });
    for (const chunkSize of [undefined, 1, 7, 1000]) {
      const options = chunkSize === undefined ? {} : { chunkSize };
      const results = await pool.map(numbers(500), options);
      assertEquals(results, numbers(500).map(square));
    }
    assertEquals(await pool.map([]), []);
    assertEquals(await pool.map(new Set([3, 4])), [9, 16]);
  }),
);

Deno.test(
  "Pool.map() takes and gives whatever can be cloned, numbers of every kind included",
  withoutLeaks(async () => {
    await using pool = new Pool((value: unknown) => value, { workers: 2 });
    const odd = [NaN, -0, Infinity, 5e-324, undefined, null, "ß", 2n, [1]];
    const items = [...odd, new Map([[1, { deep: [new Date(0)] }]])];
    assertEquals(await pool.map(items), items);
    const [nan, zero] = await pool.map([NaN, -0, 1]);
    assert(Object.is(nan, NaN) && Object.is(zero, -0));
    const large = "x".repeat(3_000_000);
    assertEquals((await pool.run(large) as string).length, large.length);
  }),
);

Deno.test(
  "Pool forks workers that have what was there, and the CPUs' share of the items",
  withoutLeaks(async () => {
    const table = { built: 42 };
    await using pool = new Pool(
      async (index: number) => {
        await new Promise((resolve) => setTimeout(resolve, 5));
        return { pid: getpid(), built: table.built, index };
      },
      { workers: 2 },
    );
    const results = await pool.map(numbers(8));
    assertEquals(results.map(({ built }) => built), Array(8).fill(42));
    const pids = new Set(results.map(({ pid }) => pid));
    assertEquals([...pids].sort(), pool.pids.sort());
    assert(!pids.has(getpid()));
  }),
);

Deno.test(
  "Pool.imap() gives results in order and goes only some way ahead of whoever iterates",
  withoutLeaks(async () => {
    await using pool = new Pool(square, { workers: 2 });
    let taken = 0;
    function* endlessly() {
      for (;;) yield taken++;
    }
    const results: number[] = [];
    for await (const result of pool.imap(endlessly(), { chunkSize: 2 })) {
      results.push(result);
      if (results.length === 50) break;
      assert(taken - results.length < 40, `${taken} after ${results.length}`);
    }
    assertEquals(results, numbers(50).map(square));
  }),
);

Deno.test(
  "Pool.imap() asks an asynchronous source, and leaves it when it is left itself",
  withoutLeaks(async () => {
    await using pool = new Pool(square, { workers: 2 });
    let left = false;
    async function* source() {
      try {
        for (let n = 0;; n++) {
          await new Promise((resolve) => setTimeout(resolve));
          yield n;
        }
      } finally {
        left = true;
      }
    }
    const results = [];
    for await (const result of pool.imap(source())) {
      results.push(result);
      if (results.length === 10) break;
    }
    assertEquals(results, numbers(10).map(square));
    await until(() => left);
  }),
);

Deno.test(
  "Pool.imapUnordered() gives a quick result before a slow one",
  withoutLeaks(async () => {
    await using pool = new Pool(
      (ms: number) => new Promise((resolve) => setTimeout(resolve, ms, ms)),
      { workers: 2 },
    );
    const results = pool.imapUnordered([200, 1], { chunkSize: 1 });
    assertEquals(await Array.fromAsync(results), [1, 200]);
  }),
);

Deno.test(
  "Pool.map() is rejected with what the function throws: its class, its properties, the worker's own stack",
  withoutLeaks(async () => {
    class Wrong extends Error {
      override name = "Wrong";
      where = "here";
    }
    await using pool = new Pool(function inTheWorker(n: number) {
      if (n === 1) throw new RangeError("too much", { cause: "n" });
      if (n === 2) throw new Wrong("wrong");
      if (n === 3) throw "a string";
      if (n === 4) return () => {};
      return n;
    }, { workers: 1 });
    const error = await assertRejects(
      () => pool.map([0, 1]),
      RangeError,
      "too much",
    );
    assertEquals(error.cause, "n");
    assertStringIncludes(error.stack!, "inTheWorker");
    const wrong = await assertRejects(() => pool.run(2), Error, "wrong");
    assertEquals((wrong as Wrong).name, "Wrong");
    assertEquals((wrong as Wrong).where, "here");
    const [good, text, clone] = await pool.mapSettled([0, 3, 4]);
    assertEquals(good, { status: "fulfilled", value: 0 });
    assertEquals(text, { status: "rejected", reason: "a string" });
    assert(clone?.status === "rejected");
    assertStringIncludes(String(clone.reason), "could not be cloned");
    assertEquals(await pool.run(5), 5);
  }),
);

Deno.test(
  "Pool does again what a worker was at that was killed, and reports the item that ends two",
  withoutLeaks(async () => {
    await using pool = new Pool((n: number) => {
      if (n === 30) kill(getpid(), "SIGKILL");
      if (n === 60) _exit(7);
      return n;
    }, { workers: 2 });
    const results = await pool.mapSettled(numbers(100), { chunkSize: 10 });
    for (const [n, result] of results.entries()) {
      if (n !== 30 && n !== 60) {
        assertEquals(result, { status: "fulfilled", value: n });
        continue;
      }
      assert(result.status === "rejected");
      assertInstanceOf(result.reason, PoolWorkerError);
      assertEquals(result.reason.index, n);
      const how = n === 30 ? "SIGKILL" : "exit code 7";
      assertStringIncludes(result.reason.message, how);
    }
    await until(() => pool.pids.length === 2);
  }),
);

Deno.test(
  "Pool replaces idle workers that were killed",
  withoutLeaks(async () => {
    await using pool = new Pool(square, { workers: 2 });
    assertEquals(await pool.run(2), 4);
    await until(() => pool.pids.length === 2);
    const before = pool.pids;
    for (const pid of before) kill(pid, "SIGKILL");
    assertEquals(await pool.map(numbers(10)), numbers(10).map(square));
    assert(pool.pids.every((pid) => !before.includes(pid)));
  }),
);

Deno.test(
  "Pool accounts for every item once while its workers are killed at random",
  withoutLeaks(() =>
    assertProgramSays(
      new URL("./_pool_under_fire_program.ts", import.meta.url),
      ["10000", "30"],
      "all accounted for\n",
    )
  ),
);

Deno.test(
  "Pool.map() with a signal gives up a function that never returns, and the pool goes on",
  withoutLeaks(async () => {
    await using pool = new Pool(
      (n: number) => n < 0 ? n : endless(n),
      { workers: 1 },
    );
    const controller = new AbortController();
    const { signal } = controller;
    const given = pool.map([1], { signal });
    await until(() => pool.pids.length === 1);
    controller.abort(new Error("enough"));
    await assertRejects(() => given, Error, "enough");
    assertEquals(await pool.run(-5), -5);
    await assertRejects(() => pool.map([1], { signal }), Error, "enough");
  }),
);

Deno.test(
  "Pool has nothing wait behind something that never returns",
  withoutLeaks(async () => {
    await using pool = new Pool(
      (n: number) => n < 0 ? n : endless(n),
      { workers: 2 },
    );
    const controller = new AbortController();
    const stuck = pool.map([1], { signal: controller.signal });
    // One of these is given to the worker that is stuck, and taken back.
    for (let i = 0; i < 5; i++) {
      const done = numbers(6).map((n) => pool.run(-1 - n));
      assertEquals(await Promise.all(done), numbers(6).map((n) => -1 - n));
    }
    controller.abort(new Error("enough"));
    await assertRejects(() => stuck, Error, "enough");
  }),
);

Deno.test(
  "Pool does nothing of what was given up before it was begun",
  withoutLeaks(async () => {
    using begun = new SharedArray("int32", 3);
    await using pool = new Pool((n: number) => {
      begun.add(n, 1);
      while (n === 1 && begun.load(0) === 0);
      return n;
    }, { workers: 1 });
    const first = pool.run(1);
    const controller = new AbortController();
    const second = pool.map([2], { signal: controller.signal });
    await until(() => begun.load(1) === 1);
    controller.abort(new Error("enough"));
    await assertRejects(() => second, Error, "enough");
    begun.add(0, 1);
    assertEquals(await first, 1);
    assertEquals(await pool.run(0), 0);
    assertEquals([...begun.array], [2, 1, 0]);
  }),
);

Deno.test(
  "Pool tells its progress",
  withoutLeaks(async () => {
    await using pool = new Pool(square, { workers: 2 });
    const seen: number[] = [];
    await pool.map(numbers(20), {
      chunkSize: 5,
      onProgress({ done, total }) {
        assertEquals(total, 20);
        seen.push(done);
      },
    });
    assertEquals(seen, [5, 10, 15, 20]);
    await assertRejects(
      () =>
        pool.map([1], {
          onProgress() {
            throw new Error("from progress");
          },
        }),
      Error,
      "from progress",
    );
  }),
);

Deno.test(
  "Pool.close() waits for what is under way, and refuses what comes after",
  withoutLeaks(async () => {
    const pool = new Pool(square, { workers: 2 });
    const results = pool.map(numbers(100));
    const closed = pool.close();
    await assertRejects(() => pool.run(1), TypeError, "closed");
    await closed;
    assertEquals(await results, numbers(100).map(square));
    await pool.close();
    await pool[Symbol.asyncDispose]();
    assertEquals(pool.pids, []);
  }),
);

Deno.test(
  "Pool that is disposed of rejects what is under way, and ends workers that would not",
  withoutLeaks(async () => {
    const pool = new Pool(endless, { workers: 2 });
    const results = pool.map([1, 2]);
    await until(() => pool.pids.length === 2);
    const rejected = assertRejects(() => results, TypeError, "closed");
    await pool[Symbol.asyncDispose]();
    await rejected;
    await new Pool(square, { workers: 2 })[Symbol.asyncDispose]();
  }),
);

Deno.test(
  "Pool refuses what it cannot work with",
  withoutLeaks(async () => {
    for (const work of [undefined, null, 3, "f"]) {
      assertThrows(() => new Pool(work as never), TypeError, "'work'");
    }
    for (const workers of [0, -1, 1.5, NaN, 1e9]) {
      assertThrows(
        () => new Pool(square, { workers }),
        RangeError,
        "'workers'",
      );
    }
    assertThrows(() => new Pool(square, { retries: -1 }), RangeError);
    await using pool = new Pool(square, { workers: 1 });
    for (const items of [undefined, 3, {}]) {
      await assertRejects(() => pool.map(items as never), TypeError, "'items'");
    }
    await assertRejects(() => pool.map([1], { chunkSize: 0 }), RangeError);
    const uncloneable = [() => {}] as unknown as number[];
    await assertRejects(() => pool.map(uncloneable), DOMException);
    assertEquals(await pool.run(4), 16);
  }),
);

Deno.test(
  "Pool is the parent's alone in a forked child",
  withoutLeaks(async () => {
    await using pool = new Pool(square, { workers: 1 });
    assertEquals(await pool.run(3), 9);
    const child = forkWith(() => {
      assertThrows(() => void pool.imap([1]), TypeError, "of the parent");
    });
    assertEquals(reap(child), 0);
    assertEquals(await pool.run(4), 16);
  }),
);
