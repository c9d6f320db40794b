import { assert, assertEquals, assertMatch } from "@std/assert";
import { close, O_CREAT, O_WRONLY, open, writeAll } from "../../ipc/mod.ts";
import { withDirectory, withoutLeaks } from "../_helpers.ts";
import { withNamedProcess } from "./_named_process.ts";
import { runExample } from "./_run.ts";

Deno.test(
  "example pipe prints the lines of the real process list that contain the word",
  withoutLeaks(async () => {
    const word = crypto.randomUUID();
    await withNamedProcess(word, async (pid) => {
      const lines = await pipeLines(word);
      assert(lines.every((line) => line.includes(word)), lines.join("\n"));
      const [line = ""] = lines.filter((line) => pidOf(line) === pid);
      assertMatch(line, new RegExp(`sh -c read line ${word}$`));
    });
  }),
);

Deno.test(
  "example pipe prints other lines for another word",
  withoutLeaks(async () => {
    const [one, other] = [crypto.randomUUID(), crypto.randomUUID()];
    await withNamedProcess(one, async (pid) => {
      await withNamedProcess(other, async (otherPid) => {
        const [pids, otherPids] = await Promise.all(
          [one, other].map(async (word) => (await pipeLines(word)).map(pidOf)),
        ) as [number[], number[]];
        assert(pids.includes(pid) && !pids.includes(otherPid), `${pids}`);
        assert(
          otherPids.includes(otherPid) && !otherPids.includes(pid),
          `${otherPids}`,
        );
      });
    });
  }),
);

Deno.test(
  "example pipe looks for deno where it is given no word",
  withoutLeaks(async () => {
    await withNamedProcess("a-deno-program", async (pid) => {
      const { stdout } = await runExample("pipe");
      const lines = stdout.trimEnd().split("\n");
      assert(lines.every((line) => line.includes("deno")), stdout);
      assert(lines.some((line) => pidOf(line) === pid), stdout);
    });
  }),
);

Deno.test(
  "example pipe becomes ps itself, under its own pid",
  withoutLeaks(async () => {
    const { pid, raw, stdout } = await runExample("pipe", ["ps aux"]);
    assertEquals(raw, 0);
    const own = stdout.split("\n").filter((line) => pidOf(line) === pid);
    assertEquals(own.length, 1, stdout);
    assertMatch(own[0]!, / ps aux$/);
  }),
);

Deno.test(
  "example pipe takes a word that begins with a dash for a word",
  withoutLeaks(async () => {
    const word = `--${crypto.randomUUID()}`;
    await withNamedProcess(word, async (pid) => {
      assert((await pipeLines(word)).map(pidOf).includes(pid));
    });
  }),
);

Deno.test(
  "example pipe says so where ps is not installed, and grep sees the end",
  withoutLeaks(() =>
    withDirectory(async (directory) => {
      program(`${directory}/grep`, "read line || echo nothing to read");
      const result = await runExample("pipe", [], { env: { PATH: directory } });
      assertEquals(result.stderr, "ps is not installed\n");
      assertEquals(result.stdout, "nothing to read\n");
      assertEquals(result.status, { kind: "exited", code: 127 });
    })
  ),
);

Deno.test(
  "example pipe says so where grep is not installed",
  withoutLeaks(() =>
    withDirectory(async (directory) => {
      program(`${directory}/ps`, "exit 0");
      const result = await runExample("pipe", [], { env: { PATH: directory } });
      assertEquals(result.stderr, "grep is not installed\n");
      assertEquals(result.stdout, "");
    })
  ),
);

async function pipeLines(word: string): Promise<string[]> {
  const { raw, stdout, stderr } = await runExample("pipe", [word]);
  assertEquals(stderr, "");
  assertEquals(raw, 0);
  return stdout.trimEnd().split("\n");
}

/** The second column of `ps aux`. */
function pidOf(line: string): number {
  return Number(line.split(/\s+/)[1]);
}

/** Makes a program in place of the real one. */
function program(path: string, script: string): void {
  const fd = open(path, O_WRONLY | O_CREAT, 0o700);
  writeAll(fd, `#!/bin/sh\n${script}\n`);
  close(fd);
}
