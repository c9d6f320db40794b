import { assert, assertEquals, assertMatch } from "@std/assert";
import { withoutLeaks } from "../_helpers.ts";
import { runExample } from "./_run.ts";

Deno.test(
  "example exec prints a listing for each child, and only the parent goes on",
  withoutLeaks(async () => {
    const { pid, raw, stdout, stderr } = await runExample("exec");
    assertEquals(stderr, "");
    assertEquals(raw, 0);

    const match = stdout.match(
      /^child: PID (\d+) becomes \/bin\/ls\n([^]*)parent: child \1 has ended with 0\nchild: PID (\d+) becomes the ls that is on PATH\n([^]*)parent: child \3 has ended with 0\n-+\n$/,
    );
    assert(match, stdout);
    const [, first, listing, second, otherListing] = match;
    assertEquals(new Set([String(pid), first, second]).size, 3);
    for (const text of [listing!, otherListing!]) {
      assertMatch(text, /^total \d+$/m);
      assertMatch(text, /^d[rwxsStT-]{9}.* \.$/m); // the directory itself, which only -a shows
      assertMatch(text, /^d[rwxsStT-]{9}.* \.\.$/m);
    }
    assertEquals(stdout.match(/^-+$/gm)?.length, 1);
    assert(!stdout.includes("the line after exec"), stdout);
  }),
);
