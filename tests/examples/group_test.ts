import { assertEquals } from "@std/assert";
import { withoutLeaks } from "../_helpers.ts";
import { runCleanly } from "./_run.ts";

Deno.test(
  "example group has one group, then two, and ends the second as one",
  withoutLeaks(async () => {
    const { pid, stdout } = await runCleanly("group");
    const [before, after, end] = stdout.trimEnd()
      .split(/\nafter \w+:\n/).map((part) => part.split("\n"));

    // The test runs it as the leader of its group.
    const [, first, second] = after!
      .map((line) => Number(line.match(/child (\d+)/)?.[1]));
    assertEquals(new Set([pid, first, second]).size, 3);
    assertEquals(
      before!.toSorted(),
      [
        `parent: PID ${pid}, PPID ${Deno.pid}, PGID ${pid}`,
        `child: PID ${first}, PPID ${pid}, PGID ${pid}`,
        `child: PID ${second}, PPID ${pid}, PGID ${pid}`,
      ].toSorted(),
    );
    assertEquals(after, [
      `parent: PGID ${pid}`,
      `first child ${first}: PGID ${first}`,
      `second child ${second}: PGID ${first}`,
    ]);
    assertEquals(end, [
      `first child ${first}: status 15`,
      `second child ${second}: status 15`,
    ]);
  }),
);
