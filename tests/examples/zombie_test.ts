import { assertMatch } from "@std/assert";
import { withoutLeaks } from "../_helpers.ts";
import { runCleanly } from "./_run.ts";

Deno.test(
  "example zombie shows state Z and <defunct> before the wait, and nothing after it",
  withoutLeaks(async () => {
    const { stdout } = await runCleanly("zombie");
    assertMatch(
      stdout,
      /^child: ends\nbefore the wait: \d+ Z \[.+\] <defunct>\nafter the wait: gone\n$/,
    );
  }),
);
