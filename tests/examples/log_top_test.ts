import { assertEquals, assertMatch } from "@std/assert";
import { withDirectory, withoutLeaks } from "../_helpers.ts";
import { makeFile } from "../exec/_capture.ts";
import { runCleanly, runExample } from "./_run.ts";

/** The names and counts of the bars, in order. */
function bars(stdout: string): [name: string, length: number, count: number][] {
  return stdout.trim().split("\n").map((line) => {
    const [name, bar, count] = line.split(/\s+/);
    assertMatch(bar!, /^█+$/);
    return [name!, bar!.length, Number(count)];
  });
}

Deno.test(
  "log-top draws who says most in a journal that it makes up",
  withoutLeaks(async () => {
    const drawn = bars((await runCleanly("log-top")).stdout);
    assertEquals(drawn.map(([name]) => name), [
      "kernel",
      "sshd",
      "cron",
      "systemd",
      "nginx",
      "postgres",
    ]);
    assertEquals(
      drawn.map(([, , count]) => count),
      [21, 14, 10, 6, 4, 1].map((part) => part * 1000),
    );
    assertEquals(drawn[0]![1], 40);
  }),
);

Deno.test(
  "log-top reads a file, and says which program has failed to",
  () =>
    withDirectory((directory) =>
      withoutLeaks(async () => {
        const file = makeFile(
          `${directory}/journal`,
          "Nov  3 10:00:00 host b[1]: x\nno journal\nNov 23 10:00:01 host a: y\nNov 23 10:00:02 host b[2]: z\n",
        );
        assertEquals(bars((await runCleanly("log-top", [file])).stdout), [
          ["b", 40, 2],
          ["a", 20, 1],
        ]);
        const { status, stderr } = await runExample("log-top", [directory]);
        assertEquals(status, { kind: "exited", code: 1 });
        assertMatch(stderr, /log-top: failed: program 0/);
      })()
    ),
);
