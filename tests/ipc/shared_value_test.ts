import { assertEquals, assertThrows } from "@std/assert";
import { Mutex } from "../../ipc/mutex.ts";
import { SharedMemory } from "../../ipc/shared_memory.ts";
import { SharedValue } from "../../ipc/shared_values.ts";
import { forkWith, reap, withoutLeaks } from "../_helpers.ts";

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
