import { assertEquals, assertNotEquals } from "@std/assert";
import { withoutLeaks } from "../_helpers.ts";
import { runCleanly } from "./_run.ts";

Deno.test(
  "example wait-signal gets raw status 9 from a child killed by SIGKILL",
  withoutLeaks(async () => {
    const { pid, stdout } = await runCleanly("wait-signal");
    const child = Number(stdout.match(/^parent: kills child (\d+)/)?.[1]);
    assertNotEquals(child, pid);
    assertEquals(stdout.trimEnd().split("\n"), [
      `parent: kills child ${child}`,
      `parent: wait() gave (${child}, 9)`,
      `parent: child ${child} killed by SIGKILL`,
    ]);
  }),
);
