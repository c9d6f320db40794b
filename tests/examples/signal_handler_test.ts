import { assertEquals, assertMatch } from "@std/assert";
import { kill } from "../../process/mod.ts";
import { withoutLeaks } from "../_helpers.ts";
import { startExample } from "./_run.ts";

Deno.test(
  "example signal-handler answers SIGINT, ignores SIGQUIT, goes on with its work and reports",
  withoutLeaks(async () => {
    await using example = startExample("signal-handler");
    await example.until(/at work/);
    kill(example.pid, "SIGQUIT");
    kill(example.pid, "SIGINT");
    const { stdout, stderr, raw, pid } = await example.finish();
    assertEquals(stderr, "");
    assertEquals(raw, 0);
    const lines = stdout.trimEnd().split("\n");
    const [child] = /(?<=^child )\d+/m.exec(stdout)!;
    const answers = lines.filter((line) => line.includes("SIGINT from"));
    // One from the child, one from this test.
    assertEquals(
      answers.sort(),
      [child, Deno.pid].map((sender) =>
        `parent ${pid}: SIGINT from process ${sender}, no thanks`
      ).sort(),
    );
    assertEquals(
      lines.filter((line) => line.startsWith("child")),
      ["SIGQUIT", "SIGINT"].map((signal) => `child ${child}: ${signal} sent`),
    );
    assertMatch(stdout, /at work for (0\.[5-9]|[1-9]\.\d) s$/m);
    assertEquals(lines.slice(-2), [
      `parent ${pid}: child has ended, 0`,
      `parent ${pid}: still alive`,
    ]);
  }),
);
