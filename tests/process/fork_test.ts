import { assertEquals } from "@std/assert";
import { forkWith, reap, withoutLeaks } from "../_helpers.ts";

Deno.test(
  "fork() gives the parent the pid of a child that it can wait for",
  withoutLeaks(() => {
    for (let code = 0; code < 20; code++) {
      assertEquals(reap(forkWith(() => code)), code << 8);
    }
  }),
);
