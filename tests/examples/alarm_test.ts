import { assertEquals, assertGreaterOrEqual, assertMatch } from "@std/assert";
import { withoutLeaks } from "../_helpers.ts";
import { runExample } from "./_run.ts";

Deno.test(
  "example alarm counts until SIGALRM kills it, a second later",
  withoutLeaks(async () => {
    const start = performance.now();
    const { stdout, stderr, raw, status } = await runExample("alarm");
    assertGreaterOrEqual(performance.now() - start, 1000);
    assertEquals(stderr, "");
    assertEquals(raw, 14);
    assertEquals(status, {
      kind: "signaled",
      signal: "SIGALRM",
      coreDumped: false,
    });
    assertMatch(stdout, /^count 1\n(count \d+\n)*$/);
  }),
);
