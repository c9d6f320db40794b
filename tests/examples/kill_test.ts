import { assertEquals, assertNotEquals } from "@std/assert";
import { withoutLeaks } from "../_helpers.ts";
import { runCleanly } from "./_run.ts";

Deno.test(
  "example kill loses patience, kills its child and reaps it with status 9",
  withoutLeaks(async () => {
    const { pid, stdout } = await runCleanly("kill");
    const child = Number(stdout.match(/^parent: child (\d+)/)?.[1]);
    assertNotEquals(child, pid);
    assertEquals(stdout.trimEnd().split("\n"), [
      `parent: child ${child} still runs, patience 3`,
      `parent: child ${child} still runs, patience 2`,
      `parent: child ${child} still runs, patience 1`,
      `parent: SIGKILL sent to ${child}`,
      `parent: child ${child} ended with status 9`,
    ]);
  }),
);
