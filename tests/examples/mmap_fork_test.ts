import { assertMatch, assertNotEquals } from "@std/assert";
import { withoutLeaks } from "../_helpers.ts";
import { runCleanly } from "./_run.ts";

Deno.test(
  "example mmap-fork passes a message each way",
  withoutLeaks(async () => {
    const { pid, stdout } = await runCleanly("mmap-fork");
    const pattern = new RegExp(
      `^child (\\d+) reads: is anybody there\\? 有人吗\\?\n` +
        `parent ${pid} reads: I am, and this is your memory too\n$`,
    );
    assertMatch(stdout, pattern);
    assertNotEquals(Number(stdout.match(pattern)![1]), pid);
  }),
);
