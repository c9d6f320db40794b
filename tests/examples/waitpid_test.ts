import { assertMatch, assertNotEquals } from "@std/assert";
import { withoutLeaks } from "../_helpers.ts";
import { runCleanly } from "./_run.ts";

Deno.test(
  "example waitpid is busy until its child ends, gets pid and status 0, then ECHILD",
  withoutLeaks(async () => {
    const { pid, stdout } = await runCleanly("waitpid");
    const child = Number(stdout.match(/^parent: child (\d+)/)?.[1]);
    assertNotEquals(child, pid);
    assertMatch(
      stdout,
      new RegExp(
        `^parent: child ${child}\n` +
          "(parent: busy with other things\n)+" +
          `parent: waitpid\\(\\) gave \\(${child}, 0\\)\n` +
          "parent: ECHILD, no child is left\n$",
      ),
    );
  }),
);
