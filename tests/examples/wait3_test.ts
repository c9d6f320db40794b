import { assertGreater, assertLess, assertMatch } from "@std/assert";
import { withoutLeaks } from "../_helpers.ts";
import { runCleanly } from "./_run.ts";

Deno.test(
  "example wait3 is busy until its child ends, then prints what that has used",
  withoutLeaks(async () => {
    const { stdout } = await runCleanly("wait3");
    const pattern = new RegExp(
      "^parent: child (\\d+)\n" +
        "(?:parent: busy with other things\n)+" +
        "parent: wait3\\(\\) gave \\(\\1, 0\\)\n" +
        "  user time +(?<utime>[\\d.]+) s\n" +
        "  system time +(?<stime>[\\d.]+) s\n" +
        "  max RSS +(?<maxrss>\\d+) KiB\n" +
        "  page faults +(?<minflt>\\d+) minor, (?<majflt>\\d+) major\n" +
        "  ctx switches +(?<nvcsw>\\d+) voluntary, (?<nivcsw>\\d+) not\n" +
        "parent: ECHILD, no child is left\n$",
    );
    assertMatch(stdout, pattern);
    const figure = (name: string) =>
      Number(stdout.match(pattern)!.groups![name]);
    // It computes for 0.2 s, if it gets the processor, and sleeps once; a whole Deno is in its memory.
    assertGreater(figure("utime") + figure("stime"), 0.01);
    assertLess(figure("utime") + figure("stime"), 5);
    assertGreater(figure("maxrss"), 20 * 1024);
    assertLess(figure("maxrss"), 4 * 1024 * 1024);
    assertGreater(figure("minflt"), 0);
    assertGreater(figure("nvcsw"), 0);
  }),
);
