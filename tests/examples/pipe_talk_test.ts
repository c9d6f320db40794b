import { assert, assertEquals } from "@std/assert";
import { withoutLeaks } from "../_helpers.ts";
import { runExample } from "./_run.ts";

Deno.test(
  "example pipe-talk lets each child hear the other, in Chinese, and the parent reap both",
  withoutLeaks(async () => {
    const { pid, raw, stdout, stderr } = await runExample("pipe-talk");
    assertEquals(stderr, "");
    assertEquals(raw, 0);

    const asker = Number(stdout.match(/^asker (\d+)/m)?.[1]);
    const answerer = Number(stdout.match(/^answerer (\d+)/m)?.[1]);
    assertEquals(new Set([pid, asker, answerer]).size, 3);

    const lines = stdout.trimEnd().split("\n");
    const heard = lines.filter((line) => line.includes(" heard: "));
    assertEquals(heard, [
      `answerer ${answerer} heard: 你好，你是谁？ (Hello, who are you?)`,
      `asker ${asker} heard: 我是进程 ${answerer}。 (I am that process.)`,
    ]);
    const reaped = lines.filter((line) => line.startsWith("parent "));
    assertEquals(
      reaped.toSorted(),
      [
        `parent reaped ${asker}, status 0`,
        `parent reaped ${answerer}, status 0`,
      ].toSorted(),
    );
    assert(reaped.includes(lines.at(-1)!), stdout);
  }),
);
