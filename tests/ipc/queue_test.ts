import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { Encoder } from "../../ipc/_queue/codec.ts";
import { coreOf } from "../../ipc/_queue/core.ts";
import { dup } from "../../ipc/descriptors.ts";
import { Queue } from "../../ipc/queue.ts";
import { QueueClosed, QueueEmpty, QueueFull } from "../../ipc/queue_errors.ts";
import { forkWith, reap, until, withoutLeaks } from "../_helpers.ts";
import { assertSameBytes, pattern } from "./_helpers.ts";

/** The milliseconds that a call takes. */
function time(call: () => void): number {
  const start = performance.now();
  call();
  return performance.now() - start;
}

function assertNotCloned(call: () => void): void {
  const error = assertThrows(call, DOMException);
  assertEquals(error.name, "DataCloneError");
}

class Point {
  x = 1;
}

const loop: { self?: unknown } = {};
loop.self = loop;
const shared = { n: 1 };
const withExtra = Object.assign([1, 2], { extra: 3 });
const escaped = '"\\\n\u0000\u2028é😀';

const VALUES: Record<string, unknown> = {
  "numbers": [0, -0, 1.5, -7, 2 ** 53, 1e-320, NaN, Infinity, -Infinity],
  "one number": 0.1,
  "negative zero": -0,
  "not a number": NaN,
  "constants": [undefined, null, true, false],
  "undefined": undefined,
  "null": null,
  "true": true,
  "false": false,
  "a big integer": 2n ** 100n,
  "strings": ["", "plain", escaped, "\ud800", "\ufeffmark"],
  "an empty string": "",
  "text": "x".repeat(300) + escaped,
  "a byte order mark": "\ufeffmark",
  "a lone surrogate": "a\udc00b",
  "an empty object": {},
  "an empty array": [],
  "a plain object": { id: 1, 'with "quotes"': { list: [1, "2", [null]] } },
  "keys that are numbers": { b: 1, 2: 2, a: 3, 1: 4 },
  "a property that is undefined": { a: undefined },
  "a key that is special": JSON.parse('{"__proto__": 1, "toJSON": 2}'),
  "holes": [1, , 3],
  "an array with a property": withExtra,
  "a date": new Date(5),
  "a map of sets": new Map([[{ k: 1 }, new Set([1, "2"])]]),
  "an expression": /x+/giu,
  "an error": new RangeError("out", { cause: "of range" }),
  "a boxed number": Object(5),
  "floats": new Float64Array([1.5, NaN]),
  "no bytes": new Uint8Array(0),
  "bytes": pattern(64),
  "bytes in an object": { bytes: pattern(10) },
  "a buffer": pattern(9).buffer,
  "a long list": Array.from({ length: 2000 }, (_, i) => i),
};

Deno.test(
  "Queue carries what structuredClone makes, of every kind",
  withoutLeaks(() => {
    using queue = new Queue<unknown>();
    for (const [name, value] of Object.entries(VALUES)) {
      queue.put(value);
      assertEquals(queue.get(), structuredClone(value), name);
    }
    queue.putMany(Object.values(VALUES));
    for (const [name, value] of Object.entries(VALUES)) {
      assertEquals(queue.get(), structuredClone(value), name);
    }
    assert(queue.empty());
  }),
);

Deno.test(
  "Queue keeps identities, cycles and prototypes as structuredClone does",
  withoutLeaks(() => {
    using queue = new Queue<unknown>();
    const through = <V>(value: V): V => {
      queue.put(value);
      return queue.get() as V;
    };
    const clone = through(loop);
    assert(clone !== loop && clone.self === clone);
    const { a, b } = through({ a: shared, b: shared });
    assert(a === b);
    assertEquals(Object.getPrototypeOf(through(new Point())), Object.prototype);
    assertEquals(
      Object.getPrototypeOf(through(Object.create(null))),
      Object.prototype,
    );
    assert(through(VALUES["an error"]) instanceof RangeError);
    assert(Object.hasOwn(through([undefined]), 0));
    assert(!Object.hasOwn(through([,]), 0));
    assert(Object.is(through({ zero: -0 }).zero, -0));
    let reads = 0;
    const counted = {
      get first(): number {
        return ++reads;
      },
    };
    assertEquals(through(counted), { first: 1 });
    assertEquals(reads, 1);
  }),
);

Deno.test(
  "Queue gives bytes of their own, without the rest of their buffer",
  withoutLeaks(() => {
    using queue = new Queue<Uint8Array>();
    const bytes = pattern(100);
    queue.put(bytes.subarray(10, 20));
    bytes.fill(0);
    const got = queue.get();
    assertEquals(got, pattern(100).subarray(10, 20));
    assertEquals([got.byteOffset, got.buffer.byteLength], [0, 10]);
    class Bytes extends Uint8Array {}
    queue.put(new Bytes([1, 2]));
    assertEquals(queue.get().constructor, Uint8Array);
  }),
);

Deno.test(
  "Queue gives bytes into an array that is there, if they fit, and anything else as always",
  withoutLeaks(async () => {
    using queue = new Queue<unknown>(0, { bytes: 4096 });
    // Exact, short, by the long way of copying, of another offset, and one that the ring is too small for.
    for (
      const [size, room] of [[64, 64], [3, 64], [200, 200], [150, 200], [
        2000,
        5000,
      ]]
    ) {
      const item = Uint8Array.from({ length: size! }, (_, i) => i * 7);
      const into = new Uint8Array(new ArrayBuffer(room! + 8), 5, room);
      const whole = into.buffer;
      queue.put(item);
      const got = queue.get({ into, timeout: 1000 }) as Uint8Array;
      assertEquals(got, item);
      assert(got.buffer === whole && got.byteOffset === 5);
      if (size === room) assert(got === into);
      queue.put(item);
      const later = await queue.getAsync({ into }) as Uint8Array;
      assertEquals(later, item);
      assert(later.buffer === whole);
    }
    const into = new Uint8Array(8).fill(9);
    const others = ["text", 7, { a: 1 }, new Uint8Array(9), new Uint8Array(0)];
    for (const item of [...others, new Uint8Array(2000), new Map()]) {
      queue.put(item);
      const got = queue.get({ into });
      assertEquals(got, item);
      assert(got !== into);
    }
    assertEquals(into, new Uint8Array(8).fill(9));
  }),
);

Deno.test(
  "Queue refuses with DataCloneError what cannot be cloned, and sends nothing",
  withoutLeaks(() => {
    using queue = new Queue<unknown>();
    const detached = new Uint8Array(8);
    structuredClone(detached.buffer, { transfer: [detached.buffer] });
    const wrong = [
      () => 1,
      Symbol("s"),
      new WeakMap(),
      new Proxy({}, {}),
      new Proxy([], {}),
      Promise.resolve(),
      { deep: [{ function() {} }] },
      (function (..._: number[]) {
        return arguments;
      })(1, 2),
      detached,
      new SharedArrayBuffer(8),
      new Blob(["x"]),
    ];
    for (const value of wrong) {
      assertNotCloned(() => queue.put(value));
      assertNotCloned(() => queue.putNowait(value));
      assertNotCloned(() => queue.putMany([1, value]));
    }
    const mine = new Error("mine");
    const throwing = {
      get x() {
        throw mine;
      },
    };
    assertEquals(assertThrows(() => queue.put(throwing)), mine);
    assert(queue.empty());
  }),
);

Deno.test(
  "Queue takes items that put something themselves while they are copied",
  withoutLeaks(() => {
    using queue = new Queue<unknown>();
    const nested = {
      get x() {
        queue.put("inner");
        return 1;
      },
    };
    queue.put({ nested });
    queue.putMany(["first", nested, "last"]);
    const items = queue.getMany(10);
    assertEquals(items, [
      "inner",
      { nested: { x: 1 } },
      "inner",
      "first",
      { x: 1 },
      "last",
    ]);
  }),
);

Deno.test(
  "Queue carries items larger than its memory, in order with small ones",
  withoutLeaks(() => {
    using queue = new Queue<unknown>(0, { bytes: 4096 });
    const sizes = [10, 1024, 1025, 4096, 70_000, 1, 3_000_000, 65_536, 65_537];
    for (let round = 0; round < 10; round++) {
      // What is large waits until there is room for it.
      const put: number[] = [];
      for (const size of sizes) {
        try {
          queue.putNowait(pattern(size + round));
        } catch (error) {
          assert(error instanceof QueueFull);
          break;
        }
        put.push(size + round);
      }
      assert(put.length >= 2);
      for (const size of put) {
        assertSameBytes(queue.get() as Uint8Array, pattern(size));
      }
    }
    for (const size of sizes) {
      queue.put(pattern(size));
      assertSameBytes(queue.get() as Uint8Array, pattern(size));
      queue.put("é".repeat(size));
      assertEquals((queue.get() as string).length, size);
      queue.put({ text: "x".repeat(size) });
      assertEquals((queue.get() as { text: string }).text.length, size);
    }
  }),
);

Deno.test(
  "Queue goes round its memory at every offset",
  withoutLeaks(() => {
    using queue = new Queue<Uint8Array>(0, { bytes: 4096 });
    let next = 0;
    let expected = 0;
    for (let i = 0; i < 1000; i++) {
      try {
        for (;;) {
          queue.putNowait(pattern(1 + next * 37 % 500));
          next++;
        }
      } catch (error) {
        assert(error instanceof QueueFull);
      }
      for (let taken = 0; taken <= i % 5; taken++) {
        const { length } = queue.getNowait();
        assertEquals(length, 1 + expected++ * 37 % 500);
      }
    }
    assertEquals(queue.qsize(), next - expected);
  }),
);

Deno.test(
  "Queue goes on when its counters run over 32 bits",
  withoutLeaks(() => {
    using queue = new Queue<number>(3, { bytes: 4096 });
    const { producers, consumers } = coreOf(queue);
    for (const side of [producers, consumers]) {
      assert(side.tryLock());
      side.publish(0x7fff_fff8 | 0, 0x7fff_ffff, 0x7fff_ffff, 0);
      side.unlock();
    }
    for (let i = 0; i < 1000; i++) {
      queue.putMany([i, i + 1, i + 2]);
      assert(queue.full());
      assertThrows(() => queue.putNowait(0), QueueFull);
      assertEquals(queue.getMany(9), [i, i + 1, i + 2]);
      assert(queue.empty());
    }
  }),
);

Deno.test(
  "Queue is no danger in the hands of one who has not looked for a long time",
  withoutLeaks(() => {
    using here = new Queue<number>(0, { bytes: 4096 });
    using there = Queue.from<number>(dup(here.fd));
    const { producers, consumers } = coreOf(there);
    /** As if others had put and got so many bytes meanwhile. */
    const pass = (bytes: number) => {
      for (const side of [producers, consumers]) {
        assert(side.tryLock());
        const { count, large } = side;
        side.publish((side.position + bytes) | 0, count, large, 0);
        side.unlock();
      }
    };
    const fill = (queue: Queue<number>) => {
      let most = 0;
      try {
        for (;; most++) queue.putNowait(most);
      } catch (error) {
        assert(error instanceof QueueFull);
      }
      return most;
    };
    for (const bytes of [2 ** 31, 2 ** 31 - 64, 2 ** 31 + 64, 2 ** 32 - 4096]) {
      // One who has put something, and looks for more.
      here.put(1);
      assertEquals(there.get(), 1);
      pass(bytes);
      assertThrows(() => here.getNowait(), QueueEmpty);
      // One who has got something, and finds the queue full.
      here.put(1);
      assertEquals(here.get(), 1);
      pass(bytes);
      assertEquals(fill(there), 256);
      assert(!here.closed);
      assertThrows(() => here.putNowait(0), QueueFull);
      for (let i = 0; i < 256; i++) assertEquals(here.get(), i);
      assertThrows(() => there.getNowait(), QueueEmpty);
    }
  }),
);

Deno.test(
  "Queue holds no more than maxsize items, and says so",
  withoutLeaks(() => {
    using queue = new Queue<number>(2);
    assertEquals([queue.maxsize, queue.qsize()], [2, 0]);
    assertEquals([queue.empty(), queue.full()], [true, false]);
    queue.put(1);
    assertEquals([queue.empty(), queue.full()], [false, false]);
    queue.putNowait(2);
    assertEquals([queue.qsize(), queue.full()], [2, true]);
    assertThrows(() => queue.putNowait(3), QueueFull);
    assertEquals(queue.putMany([3, 4], { timeout: 0 }), 0);
    assertEquals(queue.get(), 1);
    assertEquals(queue.putMany([3, 4], { timeout: 5 }), 1);
    assertEquals(queue.getMany(10), [2, 3]);
    using endless = new Queue<number>();
    assertEquals([endless.maxsize, endless.full()], [0, false]);
  }),
);

Deno.test(
  "Queue waits for room and for items no longer than it is told to",
  withoutLeaks(() => {
    using queue = new Queue<number>(1);
    for (const timeout of [0, 0.5, 20]) {
      const took = time(() => {
        assertThrows(() => queue.get({ timeout }), QueueEmpty);
        assertThrows(() => queue.getMany(3, { timeout }), QueueEmpty);
      });
      assert(took >= timeout * 2 && took < 2000, `${took} ms`);
    }
    assertThrows(() => queue.getNowait(), QueueEmpty);
    queue.put(1);
    for (const timeout of [0, 0.5, 20]) {
      const took = time(() => {
        assertThrows(() => queue.put(2, { timeout }), QueueFull);
        assertEquals(queue.putMany([2, 3], { timeout }), 0);
      });
      assert(took >= timeout * 2 && took < 2000, `${took} ms`);
    }
    assertEquals(queue.get({ timeout: Infinity }), 1);
  }),
);

Deno.test(
  "Queue checks its arguments before anything happens",
  withoutLeaks(async () => {
    for (const maxsize of [-1, 1.5, NaN, Infinity, 2 ** 31]) {
      assertThrows(() => new Queue(maxsize), RangeError, "'maxsize'");
    }
    assertThrows(() => new Queue("1" as unknown as number), TypeError);
    for (const bytes of [0, 2048, 5000, 2 ** 31, NaN]) {
      assertThrows(
        () => new Queue(0, { bytes }),
        RangeError,
        "'options.bytes'",
      );
    }
    using queue = new Queue<number>(1);
    for (const timeout of [-1, NaN, -Infinity]) {
      const options = { timeout };
      const what = "'options.timeout'";
      assertThrows(() => queue.put(1, options), RangeError, what);
      assertThrows(() => queue.putMany([1], options), RangeError, what);
      assertThrows(() => queue.get(options), RangeError, what);
      assertThrows(() => queue.getMany(1, options), RangeError, what);
    }
    const wrong = { timeout: "1" as unknown as number };
    assertThrows(() => queue.get(wrong), TypeError, "'options.timeout'");
    const nowhere = { into: [] as unknown as Uint8Array };
    assertThrows(() => queue.get(nowhere), TypeError, "'options.into'");
    await assertRejects(
      () => queue.getAsync(nowhere),
      TypeError,
      "'options.into'",
    );
    for (const count of [0, -1, 1.5, NaN]) {
      assertThrows(() => queue.getMany(count), RangeError, "'count'");
    }
    assert(queue.empty());
  }),
);

Deno.test(
  "Queue.close() lets what is there be got, and nothing more be put",
  withoutLeaks(() => {
    using queue = new Queue<number>();
    queue.putMany([1, 2, 3]);
    assert(!queue.closed);
    queue.close();
    queue.close();
    assert(queue.closed);
    assertThrows(() => queue.put(4), QueueClosed);
    assertThrows(() => queue.putNowait(4), QueueClosed);
    assertThrows(() => queue.putMany([4]), QueueClosed);
    assertEquals(queue.get(), 1);
    assertEquals(queue.getMany(5), [2, 3]);
    assertThrows(() => queue.get(), QueueClosed);
    assertThrows(() => queue.getNowait(), QueueClosed);
    assertThrows(() => queue.getMany(1), QueueClosed);
  }),
);

Deno.test(
  "Queue throws a TypeError once it is released, twice without harm",
  withoutLeaks(() => {
    const queue = new Queue<number>();
    queue.put(1);
    queue.release();
    queue.release();
    queue[Symbol.dispose]();
    const uses = [
      () => queue.put(1),
      () => queue.putMany([1]),
      () => queue.get(),
      () => queue.getMany(1),
      () => queue.qsize(),
      () => queue.empty(),
      () => queue.close(),
      () => queue.fd,
      () => queue.closed,
    ];
    for (const use of uses) assertThrows(use, TypeError, "released");
  }),
);

Deno.test(
  "Queue passes everything exactly once from several producers to several consumers, in each one's order",
  withoutLeaks(() => {
    using queue = new Queue<[number, number]>(7);
    using results = new Queue<[number, number][]>();
    const COUNT = 400;
    const children: number[] = [];
    for (let producer = 0; producer < 2; producer++) {
      children.push(forkWith(() => {
        for (let i = 0; i < COUNT; i++) queue.put([producer, i]);
      }));
    }
    const consumers: number[] = [];
    for (let consumer = 0; consumer < 2; consumer++) {
      consumers.push(forkWith(() => {
        const got: [number, number][] = [];
        try {
          for (;;) got.push(queue.get());
        } catch (error) {
          if (!(error instanceof QueueClosed)) throw error;
        }
        results.put(got);
      }));
    }
    for (const child of children) assertEquals(reap(child), 0);
    queue.close();
    for (const child of consumers) assertEquals(reap(child), 0);
    const all = [results.get(), results.get()];
    for (const got of all) {
      for (const producer of [0, 1]) {
        const numbers = got.filter(([from]) => from === producer)
          .map(([, number]) => number);
        assertEquals(numbers, numbers.toSorted((a, b) => a - b));
      }
    }
    assertEquals(
      new Set(all.flat().map((pair) => pair.join())).size,
      all.flat().length,
    );
    assertEquals(all.flat().length, 2 * COUNT);
  }),
);

Deno.test(
  "Queue wakes those who sleep on it in another process, for items, room and the end",
  withoutLeaks(async () => {
    using there = new Queue<number>(1);
    using back = new Queue<number>(1);
    const child = forkWith(() => {
      for (;;) {
        const n = there.get();
        if (n < 0) break;
        back.put(n + 1);
      }
      try {
        there.get();
      } catch (error) {
        return error instanceof QueueClosed ? 0 : 1;
      }
    });
    for (let i = 0; i < 300; i++) {
      there.put(i);
      assertEquals(back.get(), i + 1);
    }
    there.put(-1);
    await until(() => there.empty());
    there.close();
    assertEquals(reap(child), 0);

    back.put(0);
    const putter = forkWith(() => {
      back.put(1);
      try {
        back.put(2);
      } catch (error) {
        return error instanceof QueueClosed ? 0 : 1;
      }
    });
    assertEquals(back.get(), 0);
    await until(() => back.full());
    back.close();
    assertEquals(reap(putter), 0);
    assertEquals(back.get(), 1);
  }),
);

Deno.test(
  "Encoder lets go of the memory that one big item has taken",
  withoutLeaks(() => {
    const encoder = new Encoder();
    const end = encoder.encode("a", encoder.encode(new Uint8Array(2e6), 0));
    assertEquals(encoder.words[(end - 16) >> 2], 1);
    encoder.trim();
    assertEquals(encoder.bytes.length, 0);
    assertThrows(() => encoder.encode("a", 0x7fff_fff0), RangeError);
  }),
);
