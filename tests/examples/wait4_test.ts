import { assertEquals, assertGreater } from "@std/assert";
import { withoutLeaks } from "../_helpers.ts";
import { runCleanly } from "./_run.ts";

Deno.test(
  "example wait4 gets the figures of the child that it asks for, not of the one that ended first",
  withoutLeaks(async () => {
    const { stdout } = await runCleanly("wait4");
    const [first, ...reports] = stdout.trimEnd().split("\n");
    const [, lazy, diligent] = first!
      .match(/^parent: lazy child (\d+), diligent child (\d+)$/)!.map(Number);
    const [second, third] = reports.map((line) =>
      line.match(
        /^parent: child (\d+), status (\d+), (.+) s of CPU, (\d+) KiB$/,
      )!.slice(1).map(Number)
    );
    assertEquals(second!.slice(0, 2), [diligent, 2 << 8]);
    assertEquals(third!.slice(0, 2), [lazy, 1 << 8]);
    assertGreater(second![2]!, third![2]!);
  }),
);
