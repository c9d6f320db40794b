import { assertEquals } from "@std/assert";
import { getpid, getppid } from "../../process/ids.ts";
import { forkWith, reap, withoutLeaks } from "../_helpers.ts";
import { stat } from "./_stat.ts";

Deno.test("getppid() is the parent that Deno and the kernel know", () => {
  assertEquals(getppid(), Deno.ppid);
  assertEquals(getppid(), stat().ppid);
});

Deno.test(
  "getppid() is the forking process in a child",
  withoutLeaks(() => {
    const parent = getpid();
    assertEquals(
      reap(forkWith(() => assertEquals(getppid(), parent))),
      0,
    );
  }),
);
