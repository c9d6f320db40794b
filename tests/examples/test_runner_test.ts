import { assert, assertEquals } from "@std/assert";
import { withoutLeaks } from "../_helpers.ts";
import { runCleanly } from "./_run.ts";

Deno.test(
  "example test-runner gives each file a fork of its own, with the module that was loaded once",
  withoutLeaks(async () => {
    const { pid, stdout } = await runCleanly("test-runner");
    const lines = stdout.trim().split("\n");
    assertEquals(lines[0], `PID ${pid} has loaded 300000 words`);
    const ok = lines.flatMap((line) =>
      line.match(/^(.+) \.\.\. ok PID (\d+), module loaded 1 time\(s\)$/)
        ?.slice(1) ?? []
    );
    assertEquals([ok[0], ok[2], ok.length], [
      "adds a word",
      "sees no other's words",
      4,
    ]);
    assert(ok[1] !== ok[3] && ok[1] !== String(pid));
    assertEquals(
      lines[3],
      "fails ... FAILED (exit code 1) error: Uncaught (in promise) Error: there is no word zzzz",
    );
    assertEquals(lines[4], "ends its process ... FAILED (exit code 3)");
    assertEquals(lines[5], "2 passed, 2 failed; 300000 words as before");
  }),
);
