import { assert, assertEquals } from "@std/assert";
import { withoutLeaks } from "../_helpers.ts";
import { stat } from "../process/_stat.ts";
import { runCleanly } from "./_run.ts";

Deno.test(
  "example orphan changes parents: to process 1, or to an ancestor that is a child subreaper",
  withoutLeaks(async () => {
    const { pid, stdout } = await runCleanly("orphan");
    const child = Number(stdout.match(/child (\d+)\n/)?.[1]);
    assert(child > 0 && child !== pid, stdout);

    const lines = stdout.split("\n");
    assertEquals(lines.slice(0, 2), [
      `child ${child}: PPID before ${pid}`,
      `parent ${pid}: exits before its child ${child}`,
    ]);
    const [, after] =
      lines[2]!.match(new RegExp(`^child ${child}: PPID after (\\d+)$`)) ?? [];
    assert([1, ...ancestors()].includes(Number(after)), stdout);
  }),
);

/** The pids of this process's parent, its parent and so on. */
function ancestors(): number[] {
  const pids: number[] = [];
  for (let { ppid } = stat(); ppid > 0; { ppid } = stat(ppid)) pids.push(ppid);
  return pids;
}
