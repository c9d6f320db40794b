import { assertEquals } from "@std/assert";
import { withoutLeaks } from "../_helpers.ts";
import { runCleanly } from "./_run.ts";

Deno.test(
  "example guard starts a program again each time it has aborted itself",
  withoutLeaks(async () => {
    const { stdout } = await runCleanly("guard");
    const pids = [...stdout.matchAll(/^program: start (\d), PID (\d+)$/gm)]
      .map(([, start, pid], index) => {
        assertEquals(Number(start), index);
        return pid;
      });
    assertEquals(new Set(pids).size, 4);
    const [a, b, c, d] = pids;
    assertEquals(stdout.trimEnd().split("\n"), [
      `program: start 0, PID ${a}`,
      `guard: PID ${a} was ended by SIGABRT, once more`,
      `program: start 1, PID ${b}`,
      `guard: PID ${b} was ended by SIGABRT, once more`,
      `program: start 2, PID ${c}`,
      `guard: PID ${c} was ended by SIGABRT, once more`,
      `program: start 3, PID ${d}`,
      `guard: PID ${d} has ended, after 3 restarts`,
    ]);
  }),
);
