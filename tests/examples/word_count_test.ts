import { assert, assertEquals, assertMatch } from "@std/assert";
import { close, O_CREAT, O_WRONLY, open, writeAll } from "../../ipc/mod.ts";
import { withDirectory, withoutLeaks } from "../_helpers.ts";
import { runCleanly } from "./_run.ts";

Deno.test(
  "example word-count counts a file alike with one process and with a pool",
  withoutLeaks(() =>
    withDirectory(async (directory) => {
      const path = `${directory}/text`;
      const fd = open(path, O_WRONLY | O_CREAT, 0o600);
      writeAll(fd, "one two\nThree two three\n".repeat(1000) + "three end");
      close(fd);
      const { stdout } = await runCleanly("word-count", [path]);
      const counts = [...stdout.matchAll(/^ *(\d+) (\p{L}+)$/gmu)];
      assertEquals(counts.map(([, n, word]) => [Number(n), word]), [
        [2001, "three"],
        [2000, "two"],
        [1000, "one"],
        [1, "end"],
      ]);
      assertMatch(stdout, /4 words; both have counted the same: true/);
      assertMatch(stdout, /one process \d+ ms, \d+ workers \d+ ms/);
      assert(!stdout.includes("█"), "a bar where there is no terminal");
    })
  ),
);
