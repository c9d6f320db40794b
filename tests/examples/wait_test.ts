import { assertEquals, assertNotEquals } from "@std/assert";
import { withoutLeaks } from "../_helpers.ts";
import { runCleanly } from "./_run.ts";

Deno.test(
  "example wait gets its child's pid and status 0",
  withoutLeaks(async () => {
    const { pid, stdout } = await runCleanly("wait");
    const child = Number(stdout.match(/^child (\d+)/)?.[1]);
    assertNotEquals(child, pid);
    assertEquals(stdout.trimEnd().split("\n"), [
      `child ${child}: works`,
      `parent: wait() gave (${child}, 0)`,
      `parent: child ${child} exited normally`,
    ]);
  }),
);
