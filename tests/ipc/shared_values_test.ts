import { Mutex } from "../../ipc/mutex.ts";
import { SharedMemory } from "../../ipc/shared_memory.ts";
import { SharedArray, SharedValue } from "../../ipc/shared_values.ts";
import { forkWith, reap, withoutLeaks } from "../_helpers.ts";
import { assertEquals, assertThrows } from "@std/assert";

Deno.test(
  "SharedValue is one number for parent and child",
  withoutLeaks(() => {
    using number = new SharedValue("float64", 0.25);
    using big = new SharedValue("bigint64");
    const status = reap(forkWith(() => {
      assertEquals([number.value, big.value], [0.25, 0n]);
      number.value *= 2;
      big.value = -5n;
    }));
    assertEquals([status, number.value, big.value], [0, 0.5, -5n]);
    assertEquals([number.type, big.type], ["float64", "bigint64"]);
  }),
);

Deno.test(
  "SharedValue counts by add(), or under a mutex",
  withoutLeaks(() => {
    using mutex = new Mutex();
    using first = new SharedValue("uint32");
    using second = new SharedValue("float64");
    const body = () => {
      for (let round = 0; round < 500; round++) {
        first.add(1);
        const guard = mutex.acquire();
        second.value += 0.5;
        guard.release();
      }
    };
    const pid = forkWith(body);
    body();
    assertEquals([reap(pid), first.value, second.value], [0, 1000, 500]);
  }),
);

Deno.test("SharedValue leaves what is in the memory, unless it is told what to be", () => {
  using memory = SharedMemory.anonymous(32);
  using first = new SharedValue("int16", -7, { memory, offset: 8 });
  using second = new SharedValue("int16", undefined, { memory, offset: 8 });
  assertEquals(second.value, -7);
  assertEquals([second.compareExchange(-7, 8), first.value], [-7, 8]);
  using _third = new SharedValue("int16", 0, { memory, offset: 8 });
  assertEquals(first.value, 0);
});

Deno.test("SharedValue refuses values of another kind, and use after close()", () => {
  const wrong = "1" as unknown as number;
  assertThrows(() => new SharedValue("int32", wrong), TypeError, "'initial'");
  assertThrows(
    () => new SharedValue("integer" as "int32"),
    TypeError,
    "'type' is unknown",
  );
  const number = new SharedValue("int32", 1);
  assertThrows(() => number.value = wrong, TypeError, "'value'");
  number.close();
  number.close();
  assertThrows(() => number.value, TypeError, "it is closed");
  assertThrows(() => number.value = 1, TypeError, "it is closed");
  assertThrows(() => number.add(1), TypeError, "it is closed");
});

const INTEGERS = [
  "int8",
  "uint8",
  "int16",
  "uint16",
  "int32",
  "uint32",
] as const;
const FLOATS = ["float32", "float64"] as const;

Deno.test("SharedArray holds every kind of number", () => {
  for (const type of [...INTEGERS, ...FLOATS]) {
    using array = new SharedArray(type, 5);
    array.store(4, 100);
    assertEquals([array.load(4), array.load(0)], [100, 0]);
    assertEquals(array.array.constructor.name.toLowerCase(), `${type}array`);
    assertEquals([...array.array], [0, 0, 0, 0, 100]);
  }
  for (const type of ["bigint64", "biguint64"] as const) {
    using array = new SharedArray(type, 2);
    array.store(1, 2n ** 62n);
    assertEquals([...array.array], [0n, 2n ** 62n]);
    assertEquals(array.add(1, 1n), 2n ** 62n);
    assertEquals(array.compareExchange(1, 2n ** 62n + 1n, 5n), 2n ** 62n + 1n);
    assertEquals(array.load(1), 5n);
  }
});

Deno.test("SharedArray changes integers in one step, and wraps them as typed arrays do", () => {
  for (const type of INTEGERS) {
    using array = new SharedArray(type, 1);
    assertEquals([array.add(0, 5), array.add(0, -1), array.load(0)], [0, 5, 4]);
    assertEquals(array.compareExchange(0, 3, 9), 4);
    assertEquals([array.compareExchange(0, 4, 9), array.load(0)], [4, 9]);
  }
  using bytes = new SharedArray("uint8", 1);
  bytes.store(0, 257);
  assertEquals(bytes.load(0), 1);
});

Deno.test(
  "add() of an array counts what all processes add",
  withoutLeaks(() => {
    using array = new SharedArray("int32", 3);
    const body = () => {
      for (let round = 0; round < 500; round++) array.add(2, 1);
    };
    const pids = [forkWith(body), forkWith(body)];
    body();
    assertEquals(pids.map(reap), [0, 0]);
    assertEquals([...array.array], [0, 0, 1500]);
  }),
);

Deno.test("SharedArray is a view of given memory, and follows it", () => {
  using memory = SharedMemory.anonymous(64);
  new Float64Array(memory.buffer)[2] = 0.5;
  using array = new SharedArray("float64", 2, { memory, offset: 8 });
  const before = array.array;
  assertEquals(array.load(1), 0.5);
  memory.resize(4096);
  assertEquals([before.length, array.load(1), array.array.length], [0, 0.5, 2]);
  memory.resize(16);
  assertThrows(() => array.load(0), TypeError, "its memory was cut off");
});

Deno.test("SharedArray refuses what is out of range, or of another kind", () => {
  for (const length of [0, -1, 1.5, NaN]) {
    assertThrows(() => new SharedArray("int8", length), RangeError, "'length'");
  }
  assertThrows(
    () => new SharedArray("int33" as "int32", 1),
    TypeError,
    'did you mean "int32"',
  );
  using memory = SharedMemory.anonymous(16);
  assertThrows(
    () => new SharedArray("int32", 5, { memory }),
    RangeError,
    "at least 20 bytes",
  );
  assertThrows(
    () => new SharedArray("int8", 1, { memory, offset: 3 }),
    RangeError,
    "multiple of 8",
  );
  using array = new SharedArray("int32", 2);
  for (const index of [-1, 2, 0.5, NaN]) {
    assertThrows(() => array.load(index), RangeError, "'index'");
    assertThrows(() => array.store(index, 1), RangeError, "'index'");
    assertThrows(() => array.add(index, 1), RangeError, "'index'");
    assertThrows(
      () => array.compareExchange(index, 1, 1),
      RangeError,
      "'index'",
    );
  }
  const wrong = 1n as unknown as number;
  assertThrows(() => array.store(0, wrong), TypeError, "must be a number");
  assertThrows(() => array.add(0, wrong), TypeError, "must be a number");
  using big = new SharedArray("bigint64", 2);
  const small = 1 as unknown as bigint;
  assertThrows(() => big.store(0, small), TypeError, "must be a bigint");
  for (const type of FLOATS) {
    using floats = new SharedArray(type, 1);
    assertThrows(
      () => floats.add(0, 1),
      TypeError,
      "takes integers, or a lock",
    );
    assertThrows(() => floats.compareExchange(0, 0, 1), TypeError, "integers");
  }
});

Deno.test("an array that is closed throws", () => {
  const array = new SharedArray("int32", 2);
  const before = array.array;
  array.close();
  array.close();
  assertEquals(before.length, 0);
  assertThrows(() => array.array, TypeError, "it is closed");
  assertThrows(() => array.load(0), TypeError, "it is closed");
  assertThrows(() => array.store(0, 1), TypeError, "it is closed");
  assertThrows(() => array.add(0, 1), TypeError, "it is closed");
  using memory = SharedMemory.anonymous(64);
  using other = new SharedArray("float32", 2, { memory });
  memory.close();
  assertThrows(() => other.load(0), TypeError, "its memory is closed");
});
