import { assertEquals, assertGreaterOrEqual, assertMatch } from "@std/assert";
import { withoutLeaks } from "../_helpers.ts";
import { runExample } from "./_run.ts";

Deno.test(
  "example pipe-nonblock sees EAGAIN several times, then the message, then status 0",
  withoutLeaks(async () => {
    const { raw, stdout, stderr } = await runExample("pipe-nonblock");
    assertEquals(stderr, "");
    assertEquals(raw, 0);

    const lines = stdout.trimEnd().split("\n");
    const message = lines.indexOf("message: Hello from the child");
    assertGreaterOrEqual(message, 2, stdout);
    for (const line of lines.slice(0, message)) {
      assertMatch(line, /^nothing yet \(EAGAIN\)/);
    }
    assertMatch(lines.at(-1)!, /^child \d+ has ended with status 0$/);
  }),
);
