import { assert, assertEquals, assertMatch } from "@std/assert";
import { withoutLeaks } from "../_helpers.ts";
import { withNamedProcess } from "./_named_process.ts";
import { runExample } from "./_run.ts";

Deno.test(
  "example pipeline filters the process list for bash, and reaps ps and grep with 0",
  withoutLeaks(async () => {
    await withNamedProcess("no-real-bash", async (pid) => {
      const { children, listed } = await runPipeline([]);
      assertEquals(children, {
        ps: `{ kind: "exited", code: 0 }`,
        grep: `{ kind: "exited", code: 0 }`,
      });
      assert(listed.every((line) => line.includes("bash")), listed.join("\n"));
      assert(
        listed.some((line) => Number(line.split(/\s+/)[1]) === pid),
        listed.join("\n"),
      );
    });
  }),
);

Deno.test(
  "example pipeline reaps grep with 1 where no line matches, as a shell would",
  withoutLeaks(async () => {
    // The pattern does not match its own spelling, which is in the command lines of the example and of grep.
    const { children, listed } = await runPipeline([
      `[x]${crypto.randomUUID()}`,
    ]);
    assertEquals(children, {
      ps: `{ kind: "exited", code: 0 }`,
      grep: `{ kind: "exited", code: 1 }`,
    });
    assertEquals(listed, []);
  }),
);

/** Runs the example, checks what the parent says, and gives what became of the children and what grep has let through. */
async function runPipeline(
  args: string[],
): Promise<{ children: Record<string, string>; listed: string[] }> {
  const { raw, stdout, stderr } = await runExample("pipeline", args);
  assertEquals(stderr, "");
  assertEquals(raw, 0);

  const lines = stdout.trimEnd().split("\n");
  const said = lines.filter((line) => line.startsWith("parent: "));
  assertEquals(said.at(-1), "parent: no child left (ECHILD)");
  assertEquals(said[2], "parent: doing other things");

  const children: Record<string, string> = {};
  for (const [index, name] of ["ps", "grep"].entries()) {
    const started = said[index]!;
    assertMatch(started, new RegExp(`^parent: ${name} has PID \\d+$`));
    const reaped = `parent: reaped ${started.match(/\d+$/)} `;
    const reports = said.filter((line) => line.startsWith(reaped));
    assertEquals(reports.length, 1, stdout);
    children[name] = reports[0]!.slice(reaped.length);
  }
  assertEquals(said.filter((line) => line.includes("reaped")).length, 2);
  return {
    children,
    listed: lines.filter((line) => !line.startsWith("parent: ")),
  };
}
