import { assertEquals, assertNotEquals } from "@std/assert";
import { getpid } from "../../process/ids.ts";
import { forkWith, reap, withoutLeaks } from "../_helpers.ts";
import { stat } from "./_stat.ts";

Deno.test("getpid() is the pid that Deno and the kernel know", () => {
  assertEquals(getpid(), Deno.pid);
  assertEquals(getpid(), stat().pid);
});

Deno.test(
  "getpid() is a child's own pid in the child",
  withoutLeaks(() => {
    const parent = getpid();
    const raw = reap(forkWith(() => {
      assertEquals(getpid(), stat().pid);
      assertNotEquals(getpid(), parent);
    }));
    assertEquals(raw, 0);
  }),
);
