import { assertEquals, assertNotEquals } from "@std/assert";
import { withoutLeaks } from "../_helpers.ts";
import { stat } from "../process/_stat.ts";
import { runCleanly } from "./_run.ts";

Deno.test(
  "example session gets EPERM as the leader of a group, and leads session and group in a child",
  withoutLeaks(async () => {
    const { pid, stdout } = await runCleanly("session");
    const { session } = stat();
    const child = Number(stdout.match(/setsid\(\) gave (\d+)/)?.[1]);
    assertNotEquals(child, pid);
    assertEquals(stdout.trimEnd().split("\n"), [
      `parent: PID ${pid}, PGID ${pid}, SID ${session}`,
      "parent: setsid() failed with EPERM",
      `child before setsid(): PID ${child}, PGID ${pid}, SID ${session}`,
      `child: setsid() gave ${child}`,
      `child after setsid(): PID ${child}, PGID ${child}, SID ${child}`,
    ]);
  }),
);
