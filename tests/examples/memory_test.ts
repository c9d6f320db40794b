import { assertMatch, assertNotEquals } from "@std/assert";
import { withoutLeaks } from "../_helpers.ts";
import { runCleanly } from "./_run.ts";

Deno.test(
  "example memory has 110 in the child and 120 in the parent",
  withoutLeaks(async () => {
    const { pid, stdout } = await runCleanly("memory");
    const pattern = new RegExp(
      `^child (\\d+): num = 110\nparent ${pid}: num = 120\n$`,
    );
    assertMatch(stdout, pattern);
    assertNotEquals(Number(stdout.match(pattern)![1]), pid);
  }),
);
