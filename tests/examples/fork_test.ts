import { assertEquals, assertMatch } from "@std/assert";
import { withoutLeaks } from "../_helpers.ts";
import { runCleanly } from "./_run.ts";

Deno.test(
  "example fork runs one head and two tails, the child's under the parent's pid",
  withoutLeaks(async () => {
    const { pid, stdout } = await runCleanly("fork");

    const lines = stdout.trimEnd().split("\n");
    assertEquals(lines.length, 5);
    assertEquals(lines[0], `before the fork: PID ${pid}`);

    const child = Number(stdout.match(/^child: PID (\d+)/m)?.[1]);
    assertMatch(stdout, new RegExp(`^child: PID ${child}, PPID ${pid}$`, "m"));
    assertMatch(
      stdout,
      new RegExp(`^parent: PID ${pid}, PPID ${Deno.pid}, child ${child}$`, "m"),
    );
    const tails = lines.filter((line) => line.startsWith("after the fork"));
    assertEquals(
      tails.toSorted(),
      [`after the fork: PID ${pid}`, `after the fork: PID ${child}`]
        .toSorted(),
    );
  }),
);
