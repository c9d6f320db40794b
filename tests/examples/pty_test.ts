import { assertEquals } from "@std/assert";
import { withoutLeaks } from "../_helpers.ts";
import { runCleanly } from "./_run.ts";

Deno.test(
  "example pty: the child has the terminal that the parent reads as its controlling terminal",
  withoutLeaks(async () => {
    const { stdout } = await runCleanly("pty");
    const [, pid, name] = stdout.match(
      /parent: child (\d+) has (\/dev\/pts\/\d+)\n/,
    )!;
    const lines = stdout.split(/\r?\n/).map((line) => line.trim());
    assertEquals(lines, [
      `parent: child ${pid} has ${name}`,
      "child: isatty is true",
      "child: session leader is true",
      name!,
      "24 80",
      "to the terminal",
      "parent: child has ended with 0",
      "",
    ]);
  }),
);
